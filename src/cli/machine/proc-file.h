/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/base/util.h"

/* ProcFile: the tables of /proc, which are longer than an attribute, line by line. */

int proc_file_new(char **ret, const char *format, ...) _printf_(2, 3);
int proc_file_sized(char **ret, size_t *ret_size, const char *format, ...) _printf_(3, 4);
char *proc_file_line(char **rest);
unsigned proc_line_split(char *line, char *words[], unsigned n_words);
