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

typedef struct CommandEnding {          /* of an install or remove command of modprobe.d that failed */
        bool removes;
        const char *file;               /* of its line; NULL: not known */
        unsigned line;
        int wait_status;                /* of waitpid(2), for the shell that ran it; not 0 */
        const char *output;             /* the end of what it wrote, any bytes; NULL: not known */
} CommandEnding;

int error_text_command(const char *module, const CommandEnding *ending, char **ret_message, char **ret_hint);
int error_text_command_lost(const char *module, const CommandEnding *ending, int error, char **ret_message,
                            char **ret_hint);
/* It ran and exited with an error: an install command that does so keeps its module out. */
bool command_refused(int wait_status);

const char *error_name(int error);      /* "ENOENT"; "unknown error" for other numbers */
