/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Clients: the listening socket (clients-accept.c), all connections, and whose turn it is. Owns all of them; borrows
 * the server of sd-varlink, which gets one call at a time (client.c).
 *
 * No client can starve the others. Places are limited for each user, and some are reserved for admins; an idle
 * unprivileged connection is closed after a while, or at once when places run out. Time: a turn of the loop accepts
 * a few connections, then serves one call of an admin, then one call of another user, round robin; more urgent work
 * comes between two turns (loop-order.h). Memory: calls are bounded in size, replies in unread bytes; a client that
 * leaves more unread is disconnected.
 */

#include "daemon/clients/clients.h"

#include <assert.h>
#include <inttypes.h>
#include <sys/epoll.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "daemon/base/log.h"
#include "daemon/base/loop-order.h"
#include "daemon/clients/clients-internal.h"

#define SWEEP_USEC (10U * 1000U * 1000U)

/* -------------------------------------------------------------------------------------------------- turns */

void clients_arm_turn(Clients *p) {
        if (p->acceptable || !TAILQ_EMPTY(&p->ready_admins) || !TAILQ_EMPTY(&p->ready_users))
                (void) sd_event_source_set_enabled(p->turn_source, SD_EVENT_ONESHOT);
}

static struct ClientUserList *ready_list(ClientUser *u, Clients *p) {
        return u->admin ? &p->ready_admins : &p->ready_users;
}

static void enqueue(Clients *p, Client *c) {
        ClientUser *u = c->user;

        if (c->queued)
                return;
        if (TAILQ_EMPTY(&u->ready))
                TAILQ_INSERT_TAIL(ready_list(u, p), u, by_turn);
        TAILQ_INSERT_TAIL(&u->ready, c, by_turn);
        c->queued = true;
        clients_arm_turn(p);
}

/* Its user goes to the end of the list. */
static void dequeue(Clients *p, Client *c) {
        ClientUser *u = c->user;

        if (!c->queued)
                return;
        TAILQ_REMOVE(&u->ready, c, by_turn);
        TAILQ_REMOVE(ready_list(u, p), u, by_turn);
        if (!TAILQ_EMPTY(&u->ready))
                TAILQ_INSERT_TAIL(ready_list(u, p), u, by_turn);
        c->queued = false;
}

void clients_note_call(Clients *p, Client *c, bool open) {
        if (open)
                TAILQ_INSERT_TAIL(&p->calls, c, by_call);
        else
                TAILQ_REMOVE(&p->calls, c, by_call);
}

/* ------------------------------------------------------------------------------------------------ clients */

static ClientUser *find_user(const Clients *p, const Peer *peer) {
        ClientUser *u;

        TAILQ_FOREACH(u, &p->users, next)
                if (p->is_broker ? streq_ptr(u->container, peer->container)
                                 : u->uid == peer->uid && u->admin == peer->admin)
                        return u;
        return NULL;
}

/* Return: NULL without memory. */
static ClientUser *get_user(Clients *p, const Peer *peer) {
        ClientUser *u = find_user(p, peer);

        if (u)
                return u;
        u = calloc(1, sizeof(*u));
        if (!u)
                return NULL;
        if (peer->container && !(u->container = strdup(peer->container))) {
                free(u);
                return NULL;
        }
        u->uid = peer->uid;
        u->admin = peer->admin;
        TAILQ_INIT(&u->ready);
        TAILQ_INSERT_TAIL(&p->users, u, next);
        return u;
}

static void put_user(Clients *p, ClientUser *u) {
        if (u->n_clients > 0)
                return;
        TAILQ_REMOVE(&p->users, u, next);
        free(u->container);
        free(u);
}

/* Hang up. What it asked for goes on without a reply. */
static void client_remove(Clients *p, Client *c) {
        dequeue(p, c);
        client_end_call(c);
        TAILQ_REMOVE(&p->clients, c, next);
        p->n_clients--;
        p->n_unprivileged -= !c->peer.admin;
        c->user->n_clients--;
        put_user(p, c->user);
        byte_queue_clear(&c->in);
        byte_queue_clear(&c->out);
        sd_event_source_disable_unref(c->source);
        (void) close(c->fd);
        peer_clear(&c->peer);
        free(c);
}

/* To be called after each change of a client; may free it. */
static void settle(Clients *p, Client *c) {
        bool unsent = byte_queue_size(&c->out) > 0;

        if (c->gone && c->link)
                c->dead = true;         /* nobody waits for the reply */
        if (c->last && !unsent)
                c->dead = true;
        if (c->dead) {
                client_remove(p, c);
                return;
        }
        if (client_has_work(c))
                enqueue(p, c);
        client_watch(c);
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Client *c = userdata;

        if (events & (EPOLLHUP | EPOLLERR))
                client_leave(c);
        if (events & EPOLLOUT)
                client_send(c);
        if (events & EPOLLIN)
                c->readable = true;
        settle(c->pool, c);
        return 0;
}

/* Serves the first client of the first user, who then goes to the end of the list. */
static void serve_one(Clients *p, struct ClientUserList *ready) {
        ClientUser *u = TAILQ_FIRST(ready);
        Client *c = u ? TAILQ_FIRST(&u->ready) : NULL;

        if (!c)
                return;
        dequeue(p, c);
        client_serve(c);
        settle(p, c);
}

/* ------------------------------------------------------------------------------------------------- places */

/* Neither in a call nor with input to be read. */
static bool is_idle(const Client *c) {
        return !c->peer.admin && !c->link && !c->queued;
}

static bool end_the_idlest(Clients *p) {
        Client *c, *idlest = NULL;

        TAILQ_FOREACH(c, &p->clients, next)
                if (is_idle(c) && (!idlest || c->quiet_usec < idlest->quiet_usec))
                        idlest = c;
        if (idlest)
                client_remove(p, idlest);
        return idlest != NULL;
}

/* Return: _TROUBLE_MAX if there is a place; else why there is none. */
static ClientTrouble make_place(Clients *p, const Peer *peer) {
        const ClientUser *u = find_user(p, peer);
        bool full;

        if (!peer->admin && u && u->n_clients >= CLIENTS_PER_UID_MAX)
                return TROUBLE_USER_FULL;
        full = p->n_clients >= CLIENTS_MAX ||
                (!peer->admin && p->n_unprivileged >= CLIENTS_MAX - CLIENTS_FOR_ADMINS);
        return full && !end_the_idlest(p) ? TROUBLE_FULL : _TROUBLE_MAX;
}

/* @fd, @peer: taken on success. Return: 0 or negative errno. */
static int client_add(Clients *p, int fd, Peer *peer) {
        ClientUser *u;
        Client *c;
        int r;

        c = calloc(1, sizeof(*c));
        u = c ? get_user(p, peer) : NULL;
        if (!u) {
                free(c);
                return -ENOMEM;
        }
        *c = (Client) {
                .pool = p,
                .user = u,
                .peer = *peer,
                .fd = fd,
                .link_fd = -EBADF,
                .quiet_usec = clock_usec(CLOCK_MONOTONIC),
        };
        r = sd_event_add_io(p->event, &c->source, fd, EPOLLIN, on_client, c);
        if (r >= 0)
                r = sd_event_source_set_priority(c->source, LOOP_CONNECTIONS);
        if (r < 0) {
                sd_event_source_disable_unref(c->source);
                put_user(p, u);
                free(c);
                return r;
        }
        (void) sd_event_source_set_description(c->source, "client");
        TAILQ_INSERT_TAIL(&p->clients, c, next);
        p->n_clients++;
        p->n_unprivileged += !peer->admin;
        u->n_clients++;
        peer->container = NULL;         /* taken */
        return 0;
}

/*
 * Adds a client, or sends an error. @fd, @peer: taken in any case. Return: 0; -EUSERS: there was no place, and the
 * error was sent; negative errno.
 */
int clients_admit(Clients *p, int fd, Peer *peer) {
        ClientTrouble trouble = make_place(p, peer);
        const char *answer;
        int r = 0;

        if (trouble == _TROUBLE_MAX) {
                r = client_add(p, fd, peer);
                if (r >= 0)
                        return 0;
                trouble = TROUBLE_NO_CALL;
        }
        clients_report(p, trouble, peer, r);
        answer = client_trouble_answer(p, trouble);
        (void) send(fd, answer, strlen(answer) + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void) close(fd);
        peer_clear(peer);
        return r < 0 ? r : -EUSERS;
}

/* The rest of what is to be known of a client of the broker. Return: 0 or -ENOMEM. */
int clients_find_container(const Clients *p, Peer *peer) {
        int r = peer_read_container(peer);

        if (r < 0 || !p->container)
                return r;
        peer_clear(peer);
        peer->container = strdup(p->container);
        return peer->container ? 0 : -ENOMEM;
}

/**
 * clients_add_connection() - serve a connection that did not come over the listening socket
 * @fd:    connected and non-blocking, taken in any case
 * @ucred: of the peer, whose supplementary groups count for nothing
 *
 * Return: 0; -EUSERS: there was no place, and the error was sent; -ENOMEM or what sd-event says.
 */
int clients_add_connection(Clients *p, int fd, const struct ucred *ucred) {
        Peer peer;
        int r;

        assert(p && fd >= 0 && ucred);

        peer_set(&peer, fd, ucred, &p->admins);
        r = p->is_broker ? clients_find_container(p, &peer) : 0;
        if (r < 0) {
                (void) close(fd);
                return r;
        }
        return clients_admit(p, fd, &peer);
}

/* ------------------------------------------------------------------------------------------------ the loop */

static int on_turn(sd_event_source *source, void *userdata) {
        Clients *p = userdata;

        clients_accept_some(p);
        serve_one(p, &p->ready_admins);
        serve_one(p, &p->ready_users);
        clients_arm_turn(p);
        return 0;
}

/* If all clients together leave too much unread, the one with the most is disconnected. */
static void bound_unsent(Clients *p) {
        Client *c, *worst = NULL;
        size_t all = 0;

        TAILQ_FOREACH(c, &p->clients, next) {
                size_t n = byte_queue_size(&c->out);

                all += n;
                if (n > 0 && !c->peer.admin && (!worst || n > byte_queue_size(&worst->out)))
                        worst = c;
        }
        if (all <= CLIENTS_UNSENT_MAX || !worst)
                return;
        clients_report(p, TROUBLE_TOO_SLOW, &worst->peer, 0);
        client_remove(p, worst);
}

/* Runs before the loop waits: passes on what handlers replied to open calls. */
static int on_before_turn(sd_event_source *source, void *userdata) {
        Clients *p = userdata;
        Client *c, *following;

        bound_unsent(p);
        for (c = TAILQ_FIRST(&p->calls); c; c = following) {
                following = TAILQ_NEXT(c, by_call);
                if (!client_has_replies(c))
                        continue;
                client_take_replies(c);
                settle(p, c);
        }
        return 0;
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
        Clients *p = userdata;
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        Client *c, *following;

        for (c = TAILQ_FIRST(&p->clients); c; c = following) {
                following = TAILQ_NEXT(c, next);
                if (is_idle(c) && now - c->quiet_usec >= p->idle_usec)
                        client_remove(p, c);
        }
        return sd_event_source_set_time_relative(source, MIN(p->idle_usec, (uint64_t) SWEEP_USEC));
}

/* ------------------------------------------------------------------------------------------------- object */

static int open_sources(Clients *p) {
        int r;

        r = sd_event_add_defer(p->event, &p->turn_source, on_turn, p);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(p->turn_source, "clients");
        r = sd_event_source_set_priority(p->turn_source, LOOP_CLIENTS);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(p->turn_source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(p->event, &p->sweep_source, CLOCK_MONOTONIC,
                                       MIN(p->idle_usec, (uint64_t) SWEEP_USEC), 0, on_sweep, p);
        if (r < 0)
                return r;
        r = sd_event_source_set_prepare(p->sweep_source, on_before_turn);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(p->sweep_source, SD_EVENT_ON);
        if (r < 0)
                return r;
        return sd_event_source_set_priority(p->sweep_source, LOOP_CONNECTIONS);
}

/**
 * clients_new() - serve clients from the next turn of the loop on
 *
 * Return: 0, -ENOMEM or what sd-event says.
 */
int clients_new(Clients **ret, const ClientsOptions *options) {
        _cleanup_(clients_freep) Clients *p = NULL;
        _cleanup_(closep) int listen_fd = options->listen_fd;
        int r;

        assert(ret && options->event && options->server && options->interface);

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = (Clients) {
                .event = sd_event_ref(options->event),
                .server = options->server,
                .interface = options->interface,
                .container = options->container,
                .is_broker = options->is_broker,
                .listen_fd = STEAL_FD(listen_fd),
                .idle_usec = options->idle_usec ?: CLIENT_IDLE_USEC,
        };
        TAILQ_INIT(&p->clients);
        TAILQ_INIT(&p->calls);
        TAILQ_INIT(&p->users);
        TAILQ_INIT(&p->ready_admins);
        TAILQ_INIT(&p->ready_users);

        r = open_sources(p);
        if (r >= 0 && p->listen_fd >= 0)
                r = clients_open_listening(p);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(p);
        return 0;
}

/* Sends the replies that are there, and hangs up on all clients. Return: NULL. */
Clients *clients_free(Clients *p) {
        Client *c;

        if (!p)
                return NULL;

        while ((c = TAILQ_FIRST(&p->clients))) {
                if (c->link)
                        client_take_replies(c);
                client_remove(p, c);
        }
        sd_event_source_disable_unref(p->listen_source);
        sd_event_source_disable_unref(p->pause_source);
        sd_event_source_disable_unref(p->turn_source);
        sd_event_source_disable_unref(p->sweep_source);
        sd_event_unref(p->event);
        closep(&p->listen_fd);
        free(p);
        return NULL;
}

/* The peer that made this call. Return: borrowed until the call is over; NULL: it is over. */
const Peer *clients_find_peer(const Clients *p, sd_varlink *link) {
        const Client *c;

        assert(p && link);

        TAILQ_FOREACH_REVERSE(c, &p->calls, ClientList, by_call) /* usually the newest */
                if (c->link == link)
                        return &c->peer;
        return NULL;
}

size_t clients_count(const Clients *p) {
        assert(p);

        return p->n_clients;
}
