/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "common/base/util.h"
#include "daemon/privileged/request/loader-protocol.h"

/* LoaderWork: one request, and the thread that waits in a system call until it is over. */

typedef struct LoaderConnection {
        atomic_uint n_ref;              /* the main loop and each thread */
        int fd;
} LoaderConnection;

LoaderConnection *loader_connection_new(int fd);
LoaderConnection *loader_connection_ref(LoaderConnection *c);
LoaderConnection *loader_connection_unref(LoaderConnection *c);
DEFINE_CLEANUP(LoaderConnection, loader_connection_unref);
void loader_connection_reply(LoaderConnection *c, const LoaderReply *reply);

int loader_work_init(void);
int loader_work_start(LoaderConnection *c, const LoaderRequest *request, size_t size, int client_fd);
void loader_work_look(LoaderConnection *c, uint64_t id);
unsigned loader_work_count(void);
void loader_work_forget_ended(int fd);
