/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/explain/distribution.h"

/*
 * What a failure means, in a sentence, and what to do next. @error is an errno, positive or negative;
 * @kernel_log are the n lines that the kernel wrote about the module meanwhile (any order, may be none).
 * Sentences have no full stop. *ret_hint becomes NULL where there is nothing to advise. Both are to be
 * freed.
 */
int error_text_insert(const char *module, int error, const char *const *kernel_log, size_t n,
                      Distribution distribution, char **ret_message, char **ret_hint);
int error_text_remove(const char *module, int error, const char *const *kernel_log, size_t n,
                      char **ret_message, char **ret_hint);

/* Which lines of the kernel's log to hand over. Some name no module: then the errno has to fit as well. */
bool error_text_concerns(const char *module, const char *line);

/* @kind: "install" or "remove"; @wait_status: what waitpid(2) gave for the shell that ran it, not 0 */
int error_text_command(const char *module, const char *kind, int wait_status, char **ret_message,
                       char **ret_hint);

const char *error_name(int error);      /* "ENOENT"; "unknown error" for what is none */
