/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/request/loader-protocol.h"

/*
 * CommandOutput: what a command and its children write. All of it goes on to standard error, which is the journal, and
 * the end of it into the reply.
 */
typedef struct CommandOutput {
        int fd;                         /* of a pipe, non-blocking; -EBADF: there is none */
        char end[LOADER_TEXT_MAX];      /* ends with NUL; any other bytes */
        size_t n_end;
} CommandOutput;

#define COMMAND_OUTPUT_NONE ((CommandOutput) { .fd = -EBADF })

int command_output_open(CommandOutput *ret, int *ret_write_fd);
void command_output_until_exit(CommandOutput *o, int pid_fd);
void command_output_until_closed(CommandOutput *o);
void command_output_close(CommandOutput *o);
