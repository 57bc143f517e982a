/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include "common/base/util.h"
#include "daemon/clients/peer.h"

/* Clients: all connections, and whose call is next. In front of sd-varlink, which sees one call at a time. */
typedef struct Clients Clients;

typedef struct ClientsOptions {
        sd_event *event;                /* a reference is taken */
        sd_varlink_server *server;      /* borrowed; has the methods, and is attached to no loop */
        int listen_fd;                  /* taken, also on failure; negative: none */
        const char *interface;          /* whose errors a client gets that is not served; borrowed */
        bool is_broker;                 /* clients are containers, and none is an admin */
        const char *container;          /* which all of them are, for tests; borrowed; NULL: it is found out */
        uint64_t idle_usec;             /* 0: CLIENT_IDLE_USEC; for tests */
} ClientsOptions;

int clients_new(Clients **ret, const ClientsOptions *options);
Clients *clients_free(Clients *p);
DEFINE_CLEANUP(Clients, clients_free);

int clients_listen(const char *address, mode_t mode);
int clients_add_connection(Clients *p, int fd, const struct ucred *ucred);

const Peer *clients_find_peer(const Clients *p, sd_varlink *link);
size_t clients_count(const Clients *p);
