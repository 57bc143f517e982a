/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/util.h"
#include "daemon/loader-protocol.h"

/* The manager's end of the connection to lkmd-loader. */
typedef struct LoaderClient LoaderClient;

typedef struct LoaderOutcome {
        uint64_t id;
        int error;                      /* 0 or negative errno; -ECONNRESET: the loader went away */
        int wait_status;                /* of a command */
        uint64_t duration_usec;
} LoaderOutcome;

typedef void (*loader_done_t)(const LoaderOutcome *outcome, void *userdata);
typedef void (*loader_lost_t)(void *userdata);

int loader_client_new(LoaderClient **ret, sd_event *event, const char *address, loader_done_t done,
                      loader_lost_t lost, void *userdata);
LoaderClient *loader_client_free(LoaderClient *c);
DEFINE_CLEANUP(LoaderClient, loader_client_free);

int loader_client_send(LoaderClient *c, LoaderOp op, uint64_t id, const char *module, const char *path,
                       const char *parameters);
