/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderClient: sends requests to lkmd-loader and reports their outcomes. Owns its connections and the LoaderWatch;
 * never waits for the loader.
 *
 * There is one connection for requests. It is made when lkmd starts (systemd starts the loader for it), and again
 * after it was lost. A loader that was told to end takes no more requests, which sending finds out, and still answers
 * those that it has: its connection is retired, and another one made, to the loader that systemd starts next.
 */

#include "daemon/engine/loader-client.h"

#include <assert.h>
#include <sys/queue.h>

#include "daemon/base/loop-order.h"

typedef struct Connection {
        LoaderClient *client;
        uint64_t number;
        int fd;
        sd_event_source *source;
        LIST_ENTRY(Connection) next;    /* of the retired ones */
} Connection;

struct LoaderClient {
        sd_event *event;
        char *address;
        LoaderCallbacks callbacks;
        LoaderWatch *watch;
        Connection *current;            /* NULL: there is none */
        LIST_HEAD(, Connection) retired;
        uint64_t n_connections;         /* so far */
};

static int ask_for_life(void *userdata);
static void connect_again(void *userdata);

static void on_changed(LoaderTrouble trouble, void *userdata) {
        LoaderClient *c = userdata;

        c->callbacks.changed(trouble, c->callbacks.userdata);
}

/**
 * loader_client_new() - not connected yet
 * @address:   path of the loader's socket, copied
 * @program:   path of the loader, borrowed, to be checked when it does not start; NULL: not checked
 * @callbacks: copied
 *
 * Return: 0, -ENOMEM or what sd_event_add_time(3) says.
 */
int loader_client_new(LoaderClient **ret, sd_event *event, const char *address, const char *program,
                      const LoaderCallbacks *callbacks) {
        _cleanup_(loader_client_freep) LoaderClient *c = NULL;
        int r;

        assert(ret && event && address && callbacks);
        assert(callbacks->done && callbacks->looked && callbacks->lost && callbacks->changed);

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (LoaderClient) {
                .event = sd_event_ref(event),
                .callbacks = *callbacks,
        };
        LIST_INIT(&c->retired);
        c->address = strdup(address);
        if (!c->address)
                return -ENOMEM;
        r = loader_watch_new(&c->watch, &(LoaderWatchOptions) {
                                                .event = event,
                                                .program = program,
                                                .ask = ask_for_life,
                                                .connect = connect_again,
                                                .changed = on_changed,
                                                .userdata = c,
                                        });
        if (r < 0)
                return r;

        *ret = STEAL_PTR(c);
        return 0;
}

static Connection *connection_free(Connection *connection) {
        if (!connection)
                return NULL;

        sd_event_source_disable_unref(connection->source);
        closep(&connection->fd);
        free(connection);
        return NULL;
}
DEFINE_CLEANUP(Connection, connection_free);

/* Return: NULL. Requests that the loader has received go on. */
LoaderClient *loader_client_free(LoaderClient *c) {
        Connection *connection;

        if (!c)
                return NULL;

        connection_free(c->current);
        while ((connection = LIST_FIRST(&c->retired))) {
                LIST_REMOVE(connection, next);
                connection_free(connection);
        }
        loader_watch_free(c->watch);
        sd_event_unref(c->event);
        free(c->address);
        free(c);
        return NULL;
}

/* It takes no more requests. Its end, which may have come already, is noticed in the loop, behind its last answer. */
static void retire(LoaderClient *c) {
        Connection *connection = STEAL_PTR(c->current);

        LIST_INSERT_HEAD(&c->retired, connection, next);
}

static void connection_lost(Connection *connection, bool other_version) {
        LoaderClient *c = connection->client;
        uint64_t number = connection->number;
        bool is_current = connection == c->current;

        if (is_current)
                c->current = NULL;
        else
                LIST_REMOVE(connection, next);
        connection_free(connection);
        c->callbacks.lost(number, c->callbacks.userdata);
        if (is_current)
                loader_watch_lost(c->watch, other_version);
}

static int on_reply(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Connection *connection = userdata;
        LoaderClient *c = connection->client;
        bool is_current = connection == c->current;
        LoaderReply reply;
        LoaderOutcome outcome;
        int r;

        r = loader_packet_receive(fd, &reply);
        if (r == -EAGAIN)
                return 0;
        if (r < 0) {
                connection_lost(connection, r == -EPROTO);
                return 0;
        }
        if (reply.op == LOADER_LOOK) {
                if (is_current)
                        loader_watch_answered(c->watch);
                if (reply.id == 0)
                        return 0;       /* a sign of life */
                c->callbacks.looked(reply.id, reply.thread_id, reply.text, c->callbacks.userdata);
                return 0;
        }

        loader_packet_outcome(&reply, &outcome);
        if (is_current)
                loader_watch_done(c->watch);
        c->callbacks.done(&outcome, c->callbacks.userdata);
        return 0;
}

static int loader_client_connect(LoaderClient *c) {
        _cleanup_(connection_freep) Connection *connection = NULL;
        int r;

        connection = calloc(1, sizeof(*connection));
        if (!connection)
                return -ENOMEM;
        connection->client = c;
        connection->fd = loader_packet_connect(c->address);
        if (connection->fd < 0)
                return connection->fd;
        r = sd_event_add_io(c->event, &connection->source, connection->fd, EPOLLIN, on_reply, connection);
        if (r < 0)
                return r;
        (void) sd_event_source_set_priority(connection->source, LOOP_LOADER);
        (void) sd_event_source_set_description(connection->source, "loader");

        connection->number = ++c->n_connections;
        c->current = STEAL_PTR(connection);
        loader_watch_connected(c->watch);
        return 0;
}

static void connect_again(void *userdata) {
        loader_client_prepare(userdata);
}

/* Connect now rather than at the first request. A failure is retried and reported then. */
void loader_client_prepare(LoaderClient *c) {
        assert(c);

        if (!c->current && loader_client_connect(c) < 0)
                loader_watch_refused(c->watch);
}

/* How long the loader may take to answer: LoaderTimeoutSec=. */
void loader_client_set_timeout(LoaderClient *c, uint64_t usec) {
        assert(c);

        loader_watch_set_timeout(c->watch, usec);
}

LoaderTrouble loader_client_get_trouble(const LoaderClient *c) {
        assert(c);

        return loader_watch_get_trouble(c->watch);
}

/* The connection for the next request, of those so far. */
uint64_t loader_client_get_connection(const LoaderClient *c) {
        assert(c);

        return c->n_connections;
}

/* Sends to the loader, or to the next one if this one takes no more. Return: as loader_client_send(). */
static int send_packet(LoaderClient *c, const LoaderRequest *request, int client_fd) {
        int r;

        for (int attempt = 0;; attempt++) {
                if (!c->current) {
                        r = loader_client_connect(c);
                        if (r < 0) {
                                loader_watch_refused(c->watch);
                                return r;
                        }
                }
                if (loader_watch_get_trouble(c->watch) != LOADER_IS_WELL)
                        return -EHOSTDOWN;
                r = loader_packet_send(c->current->fd, request, client_fd);
                if (attempt > 0 || (r != -EPIPE && r != -ECONNRESET))
                        return r;
                retire(c);
        }
}

/* Asks for an answer of the loader's main thread. A new connection asks by itself. */
static int ask_for_life(void *userdata) {
        const LoaderRequest request = { .magic = LOADER_MAGIC, .op = LOADER_LOOK };
        LoaderClient *c = userdata;
        int r;

        if (!c->current)
                return -ENOTCONN;
        r = loader_packet_send(c->current->fd, &request, -EBADF);
        if (r == -EPIPE || r == -ECONNRESET) {
                retire(c);
                loader_client_prepare(c);
        }
        return r;
}

/**
 * loader_client_send() - send a request
 * @ret_connection: the number of the connection that it went to, for LoaderCallbacks.lost; may be NULL
 *
 * Return: 0; -E2BIG if a string does not fit; -ENOENT or -ECONNREFUSED if there is no loader; -EHOSTDOWN if it is in
 * trouble, loader_client_get_trouble().
 */
int loader_client_send(LoaderClient *c, const LoaderOrder *order, uint64_t *ret_connection) {
        LoaderRequest request;
        int r;

        assert(c && (order->module || order->op == LOADER_LOOK));

        r = loader_packet_make(&request, order);
        if (r >= 0)
                r = send_packet(c, &request, order->client_fd);
        /* Before the watch is told, which may find that this loader takes no more, and make the next connection. */
        if (r >= 0 && ret_connection)
                *ret_connection = c->current->number;
        if (r >= 0 && order->op != LOADER_LOOK)
                loader_watch_sent(c->watch);
        return r;
}
