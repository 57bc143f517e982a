/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderClient: sends requests to lkmd-loader and reports their outcomes. Owns the connection, which is made when
 * lkmd starts (systemd starts the loader for it) and again after it was lost, and the LoaderWatch; never waits for
 * the loader.
 */

#include "daemon/engine/loader-client.h"

#include <assert.h>

#include "daemon/base/loop-order.h"

struct LoaderClient {
        sd_event *event;
        char *address;
        LoaderCallbacks callbacks;
        LoaderWatch *watch;
        int fd;
        sd_event_source *source;
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
                .fd = -EBADF,
        };
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

static void loader_client_disconnect(LoaderClient *c) {
        c->source = sd_event_source_disable_unref(c->source);
        closep(&c->fd);
        c->fd = -EBADF;
}

/* Return: NULL. Requests that the loader has received go on. */
LoaderClient *loader_client_free(LoaderClient *c) {
        if (!c)
                return NULL;

        loader_client_disconnect(c);
        loader_watch_free(c->watch);
        sd_event_unref(c->event);
        free(c->address);
        free(c);
        return NULL;
}

static void connection_lost(LoaderClient *c, bool other_version) {
        loader_client_disconnect(c);
        c->callbacks.lost(c->callbacks.userdata);
        loader_watch_lost(c->watch, other_version);
}

static int on_reply(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        LoaderClient *c = userdata;
        LoaderReply reply;
        LoaderOutcome outcome;
        int r;

        r = loader_packet_receive(fd, &reply);
        if (r == -EAGAIN)
                return 0;
        if (r < 0) {
                connection_lost(c, r == -EPROTO);
                return 0;
        }
        if (reply.op == LOADER_LOOK) {
                loader_watch_answered(c->watch);
                if (reply.id == 0)
                        return 0;       /* a sign of life */
                c->callbacks.looked(reply.id, reply.thread_id, reply.text, c->callbacks.userdata);
                return 0;
        }

        loader_packet_outcome(&reply, &outcome);
        loader_watch_done(c->watch);
        c->callbacks.done(&outcome, c->callbacks.userdata);
        return 0;
}

static int loader_client_connect(LoaderClient *c) {
        _cleanup_(closep) int fd = -EBADF;
        int r;

        fd = loader_packet_connect(c->address);
        if (fd < 0)
                return fd;
        r = sd_event_add_io(c->event, &c->source, fd, EPOLLIN, on_reply, c);
        if (r < 0)
                return r;
        (void) sd_event_source_set_priority(c->source, LOOP_LOADER);
        (void) sd_event_source_set_description(c->source, "loader");

        c->fd = STEAL_FD(fd);
        loader_watch_connected(c->watch);
        return 0;
}

static void connect_again(void *userdata) {
        loader_client_prepare(userdata);
}

/* Connect now rather than at the first request. A failure is retried and reported then. */
void loader_client_prepare(LoaderClient *c) {
        assert(c);

        if (c->fd < 0 && loader_client_connect(c) < 0)
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

/* Asks for an answer of the loader's main thread. A lost connection is noticed elsewhere. */
static int ask_for_life(void *userdata) {
        const LoaderRequest request = { .magic = LOADER_MAGIC, .op = LOADER_LOOK };
        LoaderClient *c = userdata;

        return c->fd >= 0 ? loader_packet_send(c->fd, &request, -EBADF) : -ENOTCONN;
}

/**
 * loader_client_send() - send a request
 *
 * Return: 0; -E2BIG if a string does not fit; -ENOENT or -ECONNREFUSED if there is no loader; -EHOSTDOWN if it is in
 * trouble, loader_client_get_trouble().
 */
int loader_client_send(LoaderClient *c, const LoaderOrder *order) {
        LoaderRequest request;
        int r;

        assert(c && (order->module || order->op == LOADER_LOOK));

        r = loader_packet_make(&request, order);
        if (r < 0)
                return r;

        for (int attempt = 0;; attempt++) {
                if (c->fd < 0) {
                        r = loader_client_connect(c);
                        if (r < 0) {
                                loader_watch_refused(c->watch);
                                return r;
                        }
                }
                if (loader_watch_get_trouble(c->watch) != LOADER_IS_WELL)
                        return -EHOSTDOWN;
                r = loader_packet_send(c->fd, &request, order->client_fd);
                if (r >= 0 && order->op != LOADER_LOOK)
                        loader_watch_sent(c->watch);
                if (attempt > 0 || (r != -EPIPE && r != -ECONNRESET))
                        return r;

                /* the loader has exited, which is noticed only now: what was sent before is lost */
                connection_lost(c, /* other_version= */ false);
        }
}
