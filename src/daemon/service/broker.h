/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/socket.h>

#include "common/base/util.h"
#include "daemon/config/index-keeper.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/counters.h"
#include "daemon/planning/planner.h"

/*
 * Broker: the varlink interface io.lkmd.Broker, on a socket of its own, by which containers ask for modules. Shares no
 * connection, method or limit with Service.
 */
typedef struct Broker Broker;

typedef struct BrokerOptions {          /* all borrowed but @listen_fd */
        sd_event *event;
        int listen_fd;                  /* taken in any case; negative: listen on @address */
        const char *address;            /* NULL: there is no broker without @listen_fd */
        const char *container;          /* for tests: the name of whoever asks; NULL: it is found out */
        IndexKeeper *index;
        Planner *planner;
        Scheduler *scheduler;
        Counters *counters;
} BrokerOptions;

int broker_new(Broker **ret, const BrokerOptions *options);
Broker *broker_free(Broker *b);
DEFINE_CLEANUP(Broker, broker_free);

int broker_add_connection(Broker *b, int fd, const struct ucred *ucred);
