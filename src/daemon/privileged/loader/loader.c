/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loader: takes fixed-size requests from the manager and runs each in a thread of its own (loader-work.c). The
 * manager decides which and how many; requests do not wait for each other, and nothing waits for the manager, which
 * talks to anybody and may be compromised.
 *
 * The threads have all that root has, since the init of a module asks for it, but may make only the system calls of
 * loader-filter.c. Whoever adds a call, adds it there.
 *
 * Owns the connection (shared by the threads, counted) and the descriptors of its loop. Borrows the listening socket.
 */

#include "daemon/privileged/loader/loader.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "common/base/util.h"
#include "daemon/privileged/loader/loader-module.h"
#include "daemon/privileged/loader/loader-rest.h"
#include "daemon/privileged/loader/loader-module.h"
#include "daemon/privileged/loader/loader-work.h"
#include "daemon/privileged/request/loader-request.h"

static void reply_error(LoaderConnection *c, uint64_t id, int error) {
        loader_connection_reply(c, &(LoaderReply) { .magic = LOADER_MAGIC, .id = id, .error = error });
}

/* Return: 1 to go on, 0 if the manager hung up or sent an invalid packet. */
static int connection_read(LoaderConnection *c) {
        static LoaderRequest request; /* of the one thread that reads */
        int r, client_fd = -EBADF;
        size_t size;

        assert(c);

        r = loader_receive(c->fd, &request, &size, &client_fd);
        if (r <= 0)
                return r == -EAGAIN;
        if (request.op == LOADER_LOOK) {
                loader_work_look(c, request.id);
                return 1;
        }
        r = loader_work_start(c, &request, size, client_fd);
        if (r < 0)
                reply_error(c, request.id, r);
        return 1;
}

static int connection_accept(int listen_fd, LoaderConnection **ret) {
        LoaderConnection *c;
        int fd;

        fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
                return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? 0 : -errno;

        c = loader_connection_new(fd);
        if (!c)
                return -ENOMEM;
        *ret = c;
        return 0;
}

static int signals_open(void) {
        sigset_t mask;
        int fd, r;

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        (void) sigaddset(&mask, SIGINT);
        r = pthread_sigmask(SIG_BLOCK, &mask, NULL); /* before any thread: all inherit it */
        if (r != 0)
                return -r;
        fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? -errno : fd;
}

typedef struct Loader {
        int listen_fd, signal_fd, ended_fd;
        LoaderConnection *connection; /* to the newest manager; NULL: it hung up */
        bool leaving;
} Loader;

static void loader_clear(Loader *l) {
        loader_connection_unref(l->connection);
        closep(&l->signal_fd);
}

/* A new connection replaces the last one. */
static int accept_manager(Loader *l) {
        LoaderConnection *next = NULL;
        int r;

        r = connection_accept(l->listen_fd, &next);
        if (next) {
                loader_connection_unref(l->connection);
                l->connection = next;
        }
        return r;
}

/*
 * Takes no more requests: the manager finds that out by sending one, and has systemd start the next loader. What it
 * sent before is begun, and what is under way is answered when it is done.
 */
static void leave(Loader *l) {
        l->leaving = true;
        if (!l->connection)
                return;
        (void) shutdown(l->connection->fd, SHUT_RD);
        while (connection_read(l->connection) > 0)
                ;
}

/* Is there something left to do, or somebody who may ask for something? */
static bool is_needed(const Loader *l) {
        return loader_work_count() > 0 || (l->connection && !l->leaving);
}

/*
 * Signals come first, then new connections, then one packet of the current one.
 *
 * Return: 1 to go on; 0 when it is not needed any more; negative errno.
 */
static int loader_turn(Loader *l) {
        struct pollfd fds[] = {
                { .fd = l->leaving ? -1 : l->signal_fd, .events = POLLIN },
                { .fd = l->leaving ? -1 : l->listen_fd, .events = POLLIN },
                { .fd = l->connection && !l->leaving ? l->connection->fd : -1, .events = POLLIN },
                { .fd = l->ended_fd, .events = POLLIN },
        };
        int r;

        if (poll(fds, ARRAY_LEN(fds), -1) < 0)
                return errno == EINTR ? 1 : -errno;

        if (fds[3].revents)
                loader_work_forget_ended(l->ended_fd);
        if (fds[0].revents)
                leave(l);
        else if (fds[1].revents) {
                r = accept_manager(l);
                if (r < 0)
                        return r;
        } else if (fds[2].revents && connection_read(l->connection) == 0)
                l->connection = loader_connection_unref(l->connection);
        return is_needed(l);
}

/* Does what takes system calls that loader_filter_install() forbids. To be called first, once. */
int loader_prepare(void) {
        return loader_module_init();
}

/**
 * loader_run() - serve until the manager has hung up, or SIGTERM, and no request is under way
 * @listen_fd: listening SOCK_SEQPACKET socket with a connection waiting, borrowed; made non-blocking
 *
 * A manager that was restarted is served at once, also while requests of its predecessor still run. After SIGTERM
 * systemd starts a new loader for new requests, also while the last ones of this one still run.
 *
 * Return: 0, or the negative errno of poll(2) or the like.
 */
int loader_run(int listen_fd) {
        _cleanup_(loader_clear) Loader l = { .listen_fd = listen_fd, .signal_fd = -EBADF };
        int r;

        assert(listen_fd >= 0);

        l.signal_fd = signals_open();
        if (l.signal_fd < 0)
                return l.signal_fd;
        l.ended_fd = loader_work_init();
        if (l.ended_fd < 0)
                return l.ended_fd;
        /* the peer may have hung up already, and accept4(2) must not wait for the next one */
        if (fcntl(listen_fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;

        loader_rest();                  /* from its start */
        do
                r = loader_turn(&l);
        while (r > 0);
        return r;
}
