/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/request/loader-protocol.h"

/* LoaderPacket: packets to and from lkmd-loader and lkmd-command, on the manager's side. */

typedef struct LoaderOutcome {
        uint64_t id;
        int error; /* 0 or negative errno; -ECONNRESET: whoever was doing it went away. Of lkmd-command also
                    * -ENOTCONN: it did not start, -EPROTO: it is of another version */
        LoaderRefusal refusal; /* @error is -EPERM then */
        int wait_status;                /* of a command */
        const char *output;             /* of a command: the end of what it wrote, any bytes; valid for the call */
        uint64_t duration_usec;
} LoaderOutcome;

typedef struct LoaderOrder { /* what to do; everything is borrowed */
        LoaderOp op;
        uint64_t id; /* comes back with the outcome */
        unsigned flags; /* LOADER_FORCE_*, LOADER_HAS_CLIENT */
        int client_fd; /* with LOADER_HAS_CLIENT */
        const char *module; /* NULL for LOADER_LOOK */
        const char *path; /* LOADER_INSERT, else NULL */
        const LoaderWords *words; /* NULL for none */
} LoaderOrder;

typedef void (*loader_done_t)(const LoaderOutcome *outcome, void *userdata);

int loader_packet_connect(const char *address);
int loader_packet_make(LoaderRequest *ret, const LoaderOrder *order);
int loader_packet_send(int fd, const LoaderRequest *request, int client_fd);
int loader_packet_receive(int fd, LoaderReply *ret);
void loader_packet_outcome(const LoaderReply *reply, LoaderOutcome *ret);
