/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/engine/loader-packet.h"
#include "daemon/engine/loader-watch.h"

/* LoaderClient: the manager's end of the connection to lkmd-loader. */
typedef struct LoaderClient LoaderClient;

/* @thread_id: 0 if the request is over already; @stack: a function per line, "" if it cannot be read */
typedef void (*loader_looked_t)(uint64_t id, int thread_id, const char *stack, void *userdata);
/* @connection: as loader_client_send() said of its requests */
typedef void (*loader_lost_t)(uint64_t connection, void *userdata);

typedef struct LoaderCallbacks {
        loader_done_t done; /* once for each request that was sent and answered, except LOADER_LOOK */
        loader_looked_t looked; /* the answer to LOADER_LOOK */
        loader_lost_t lost; /* a connection broke: no request sent to it will be answered any more */
        void (*changed)(LoaderTrouble trouble, void *userdata); /* LoaderWatchOptions.changed */
        void *userdata;
} LoaderCallbacks;

int loader_client_new(LoaderClient **ret, sd_event *event, const char *address, const char *program,
                      const LoaderCallbacks *callbacks);
LoaderClient *loader_client_free(LoaderClient *c);
DEFINE_CLEANUP(LoaderClient, loader_client_free);

void loader_client_prepare(LoaderClient *c);
void loader_client_set_timeout(LoaderClient *c, uint64_t usec);
LoaderTrouble loader_client_get_trouble(const LoaderClient *c);
uint64_t loader_client_get_connection(const LoaderClient *c);
int loader_client_send(LoaderClient *c, const LoaderOrder *order, uint64_t *ret_connection);
