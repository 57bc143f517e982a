/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loader: the only code that runs with CAP_SYS_MODULE. It takes fixed-size requests from the manager and runs each
 * in a thread of its own (loader-work.c). The manager decides which and how many; requests do not wait for each
 * other, and nothing waits for the manager, which talks to anybody and may be compromised.
 *
 * Owns the connection (shared by the threads, counted). Borrows the listening socket.
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
#include "daemon/privileged/loader/loader-operation.h"
#include "daemon/privileged/loader/loader-work.h"

/* The characters of module names; others could have a meaning in modprobe.d. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+,.@"

static bool is_terminated(const char *s, size_t size) {
        return memchr(s, '\0', size) != NULL;
}

/**
 * loader_check_request() - is this packet a valid request?
 * @size: bytes that were received
 *
 * Return: 0; -EBADMSG for anything that a manager of this build does not send.
 */
int loader_check_request(const LoaderRequest *request, size_t size) {
        const LoaderOperation *operation;

        assert(request);

        if (size < LOADER_REQUEST_SIZE(0) || size > sizeof(*request) || request->magic != LOADER_MAGIC ||
            size != LOADER_REQUEST_SIZE(request->words.n_origins))
                return -EBADMSG;
        operation = loader_operation(request->op);
        if (!operation || request->reserved != 0 || (request->flags & ~operation->flags))
                return -EBADMSG;
        if (!is_terminated(request->module, sizeof(request->module)) ||
            !is_terminated(request->path, sizeof(request->path)))
                return -EBADMSG;
        if ((request->module[0] != '\0') != operation->has_module || request->module[0] == '.' ||
            request->module[strspn(request->module, NAME_LETTERS)] != '\0')
                return -EBADMSG;
        if (operation->has_path && request->path[0] != '/')
                return -EBADMSG;
        if (request->words.n_origins > 0 &&
            !(operation->may_have_words && loader_words_are_sound(&request->words)))
                return -EBADMSG;
        return 0;
}

/*
 * Receives the packet that was checked, and a descriptor if one belongs to it. There is room for one, and the
 * kernel drops the rest. Return: 0; what recvmsg(2) says.
 */
static int receive(int fd, LoaderRequest *request, int *ret_client_fd) {
        union {
                struct cmsghdr header; /* for its alignment */
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec iov = { .iov_base = request, .iov_len = sizeof(*request) };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = CMSG_LEN(sizeof(int)), /* CMSG_SPACE() would have room for two */
        };
        const struct cmsghdr *c;
        ssize_t n;

        if (!(request->flags & LOADER_HAS_CLIENT)) {
                message.msg_control = NULL; /* then the kernel drops all of it */
                message.msg_controllen = 0;
        }
        n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return -errno;
        c = CMSG_FIRSTHDR(&message);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof(int)))
                (void) memcpy(ret_client_fd, CMSG_DATA(c), sizeof(int));
        return 0;
}

static void reply_error(LoaderConnection *c, uint64_t id, int error) {
        loader_connection_reply(c, &(LoaderReply) { .magic = LOADER_MAGIC, .id = id, .error = error });
}

/*
 * Return: 1 to go on, 0 if the manager hung up or sent an invalid packet. The packet is checked before it is
 * received: an unexpected descriptor is never received, since closing it may take as long as its owner likes.
 */
static int connection_read(LoaderConnection *c) {
        static LoaderRequest request; /* of the one thread that reads */
        int r, client_fd = -EBADF;
        ssize_t n;

        assert(c);

        n = recv(c->fd, &request, sizeof(request), MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        if (n == 0)
                return 0;

        if (loader_check_request(&request, (size_t) n) < 0) {
                (void) recv(c->fd, &request, sizeof(request), MSG_DONTWAIT);
                fprintf(stderr, "lkmd-loader: malformed request of %zd bytes, closing the connection\n", n);
                return 0;
        }
        r = receive(c->fd, &request, &client_fd);
        if (r < 0)
                return 0;

        if (request.op == LOADER_LOOK) {
                loader_work_look(c, request.id);
                return 1;
        }
        r = loader_work_start(c, &request, (size_t) n, client_fd);
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
 * Signals come first, then new connections, then one packet of the current one.
 *
 * Return: 1 to go on; 0 when there is neither a manager nor a request under way, nor, unless it was told to end, a
 * process left that writes into a pipe of this one; negative errno.
 */
static int loader_turn(Loader *l) {
        struct pollfd fds[] = {
                { .fd = l->leaving ? -1 : l->signal_fd, .events = POLLIN },
                { .fd = l->leaving ? -1 : l->listen_fd, .events = POLLIN },
                { .fd = l->connection ? l->connection->fd : -1, .events = POLLIN },
                { .fd = l->ended_fd, .events = POLLIN },
        };
        int r;

        if (poll(fds, ARRAY_LEN(fds), -1) < 0)
                return errno == EINTR ? 1 : -errno;

        if (fds[3].revents)
                loader_work_forget_ended(l->ended_fd);
        if (fds[0].revents) {
                l->leaving = true;
                l->connection = loader_connection_unref(l->connection);
        } else if (fds[1].revents) {
                r = accept_manager(l);
                if (r < 0)
                        return r;
        } else if (fds[2].revents && connection_read(l->connection) == 0)
                l->connection = loader_connection_unref(l->connection);
        return l->connection || loader_work_count() > 0 ||
               (!l->leaving && loader_work_count_left_behind() > 0);
}

/**
 * loader_run() - serve until the manager has hung up, or SIGTERM, and no request is under way
 * @listen_fd: listening SOCK_SEQPACKET socket with a connection waiting, borrowed; made non-blocking
 *
 * A manager that was restarted is served at once, also while requests of its predecessor still run. For connections
 * after the end, systemd starts a new loader.
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

        do
                r = loader_turn(&l);
        while (r > 0);
        loader_contexts_free();
        return r;
}
