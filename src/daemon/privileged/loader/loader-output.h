/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/loader/loader-protocol.h"

/*
 * LoaderOutput: what a command and its children write. All of it goes on to standard error, which is the journal, and
 * the end of it into the reply.
 */
typedef struct LoaderOutput {
        int fd;                         /* of a pipe, non-blocking; -EBADF: there is none */
        char end[LOADER_TEXT_MAX];      /* ends with NUL; any other bytes */
        size_t n_end;
} LoaderOutput;

#define LOADER_OUTPUT_NONE ((LoaderOutput) { .fd = -EBADF })

int loader_output_open(LoaderOutput *ret, int *ret_write_fd);
void loader_output_until_exit(LoaderOutput *o, int pid_fd);
void loader_output_until_closed(LoaderOutput *o);
void loader_output_close(LoaderOutput *o);
