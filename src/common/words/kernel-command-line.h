/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/base/problem-list.h"

#define KERNEL_COMMAND_LINE_FILE "/proc/cmdline"

/* One "module.parameter" or "module.parameter=value"; @parameter includes the value. Negative: stop. */
typedef int (*kernel_option_t)(char *module, char *parameter, void *userdata);

int kernel_command_line_read(char **ret, ProblemList *problems);
int kernel_command_line_parse(char *text, kernel_option_t on_option, void *userdata);

/*
 * The value of a parameter of the kernel's own, without quotes; of several, the last. NULL: there is none.
 */
int kernel_command_line_find(const char *text, const char *name, char **ret);

/* Each value of a parameter that is for whoever reads it, not for the kernel; in order. Negative: stop. */
typedef int (*kernel_value_t)(const char *value, void *userdata);
int kernel_command_line_each(const char *text, const char *name, kernel_value_t on_value, void *userdata);

int kernel_command_line_count(const char *text, const char *name, size_t *ret);

/* The value as the kernel takes it: without the double quotes around it. Changes the text. */
char *kernel_command_line_unquote(char *value);

size_t kernel_assignment_length(const char *text);
