/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/engine/loader-watch.h"
#include "daemon/privileged/loader/loader-protocol.h"

/* LoaderClient: the manager's end of the connection to lkmd-loader. */
typedef struct LoaderClient LoaderClient;

typedef struct LoaderOutcome {
        uint64_t id;
        int error;                      /* 0 or negative errno; -ECONNRESET: the loader went away */
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
/* @thread_id: 0 if the request is over already; @stack: a function per line, "" if it cannot be read */
typedef void (*loader_looked_t)(uint64_t id, int thread_id, const char *stack, void *userdata);
typedef void (*loader_lost_t)(void *userdata);

typedef struct LoaderCallbacks {
        loader_done_t done; /* once for each request that was sent and answered, except LOADER_LOOK */
        loader_looked_t looked; /* the answer to LOADER_LOOK */
        loader_lost_t lost; /* the connection broke: no request sent so far will be answered */
        void (*changed)(LoaderTrouble trouble, void *userdata); /* LoaderWatchOptions.changed */
        void *userdata;
} LoaderCallbacks;

int loader_client_new(LoaderClient **ret, sd_event *event, const char *address, const char *program,
                      const LoaderCallbacks *callbacks);
LoaderClient *loader_client_free(LoaderClient *c);
DEFINE_CLEANUP(LoaderClient, loader_client_free);

void loader_client_prepare(LoaderClient *c);
void loader_client_release(LoaderClient *c);
void loader_client_set_timeout(LoaderClient *c, uint64_t usec);
LoaderTrouble loader_client_get_trouble(const LoaderClient *c);
int loader_client_send(LoaderClient *c, const LoaderOrder *order);
