/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shared by the files of Clients; nobody else includes this. */

#include <sys/queue.h>
#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include "common/base/util.h"
#include "daemon/clients/byte-queue.h"
#include "daemon/clients/peer.h"

typedef struct Clients Clients;
typedef struct Client Client;
typedef struct ClientUser ClientUser;
TAILQ_HEAD(ClientList, Client);
TAILQ_HEAD(ClientUserList, ClientUser);

/*
 * All connections of one user ID; those of admins are counted separately. To the broker all connections of one
 * container, whatever their users, or of all who are in none.
 */
struct ClientUser {
        uid_t uid;
        char *container;                /* NULL: none */
        bool admin;
        size_t n_clients;
        struct ClientList ready;        /* clients with work, in order */
        TAILQ_ENTRY(ClientUser) by_turn; /* while any of them is ready */
        TAILQ_ENTRY(ClientUser) next;
};

struct Client {
        Clients *pool;
        ClientUser *user;
        Peer peer;
        int fd;
        sd_event_source *source;        /* of fd */
        sd_varlink *link;               /* the call under way, at the other end of link_fd; NULL: none */
        int link_fd;
        ByteQueue in, out;
        uint64_t quiet_usec;            /* without a call since then, CLOCK_MONOTONIC */
        bool readable;                  /* epoll reported input */
        bool ended;                     /* end of its input */
        bool gone;                      /* it reads nothing any more either */
        bool last;                      /* hang up when the output is sent */
        bool dead;                      /* hang up now */
        bool queued;
        TAILQ_ENTRY(Client) by_turn;    /* of its user, while it is queued */
        TAILQ_ENTRY(Client) by_call;    /* while it has a link */
        TAILQ_ENTRY(Client) next;
};

/* Why a client is not served. */
typedef enum ClientTrouble {
        TROUBLE_USER_FULL,
        TROUBLE_FULL,
        TROUBLE_TOO_LARGE,
        TROUBLE_TOO_DEEP,
        TROUBLE_TOO_SLOW,
        TROUBLE_NO_CALL,
        _TROUBLE_MAX,
} ClientTrouble;

/* When one kind of trouble was logged last. */
typedef struct TroubleNote {
        uint64_t reported_usec;             /* 0: never */
        unsigned n_unreported;
} TroubleNote;

struct Clients {
        sd_event *event;
        sd_varlink_server *server;      /* borrowed */
        const char *interface, *container; /* see ClientsOptions */
        bool is_broker;
        int listen_fd;
        uint64_t idle_usec;
        sd_event_source *listen_source, *pause_source; /* one of them is on */
        sd_event_source *turn_source, *sweep_source;
        bool acceptable;                /* epoll reported connections to accept */
        AdminGroup admins;
        struct ClientList clients, calls;
        TAILQ_HEAD(, ClientUser) users;
        struct ClientUserList ready_admins, ready_users;
        size_t n_clients, n_unprivileged;
        TroubleNote notes[_TROUBLE_MAX];
        uint64_t pause_reported_usec;       /* when it was logged that accepting is paused; 0: never */
};

/* client.c */
void client_serve(Client *c);
void client_take_replies(Client *c);
bool client_has_replies(const Client *c);
void client_send(Client *c);
void client_leave(Client *c);
bool client_has_work(const Client *c);
void client_watch(Client *c);
void client_end_call(Client *c);

/* clients.c */
void clients_note_call(Clients *p, Client *c, bool open);
void clients_arm_turn(Clients *p);
int clients_admit(Clients *p, int fd, Peer *peer);
int clients_find_container(const Clients *p, Peer *peer);

/* clients-accept.c, and clients_listen() of clients.h */
void clients_accept_some(Clients *p);
int clients_open_listening(Clients *p);

/* client-trouble.c */
void clients_report(Clients *p, ClientTrouble trouble, const Peer *peer, int error);
const char *client_trouble_answer(const Clients *p, ClientTrouble trouble);
