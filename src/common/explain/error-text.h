/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/explain/distribution.h"

/*
 * ErrorText: what a failure means, in a sentence, and what to do next. @error: an errno, positive or negative;
 * @kernel_log: the @n lines that the kernel logged about the module meanwhile, in any order. The sentence has no
 *              full
 * stop. *ret_hint may become NULL. The caller frees both.
 */
int error_text_insert(const char *module, int error, const char *const *kernel_log, size_t n,
                      Distribution distribution, char **ret_message, char **ret_hint);
int error_text_remove(const char *module, int error, const char *const *kernel_log, size_t n,
                      char **ret_message, char **ret_hint);

/* Which lines belong into @kernel_log. For those that name no module, the errno has to match as well. */
bool error_text_concerns(const char *module, const char *line);

/* @kind: "install" or "remove"; @wait_status: of waitpid(2), for the shell that ran the command; not 0 */
int error_text_command(const char *module, const char *kind, int wait_status, char **ret_message,
                       char **ret_hint);

const char *error_name(int error);      /* "ENOENT"; "unknown error" for other numbers */
