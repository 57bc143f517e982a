/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink.h>

#include "common/base/util.h"

/* A server of lkmd's interface with one method, in a loop of its own, and clients that are plain sockets. */
typedef struct VarlinkBench {
        sd_event *event;
        sd_varlink_server *server;
        void *userdata;                 /* of the method */
} VarlinkBench;

/* A server of lkmd's interface without methods and loop. @disconnected: NULL: nothing is to be called */
sd_varlink_server *varlink_server_new(sd_varlink_disconnect_t disconnected, void *userdata);

void varlink_bench_open(VarlinkBench *b, const char *method, sd_varlink_method_t handler,
                        sd_varlink_disconnect_t disconnected, void *userdata);
void varlink_bench_close(VarlinkBench *b);

int varlink_bench_connect(VarlinkBench *b);
void varlink_bench_call(int fd, const char *method, const char *parameters, bool more);

/* Messages, a line each, empty replies as "{"parameters":{}}" in every version of systemd; what has no end as it is. */
void varlink_bench_write(FILE *f, const char *received, size_t size);

/* What lies in the socket, as varlink_bench_write() writes it; NULL when the other side has hung up. Free it. */
char *varlink_bench_read(int fd);
