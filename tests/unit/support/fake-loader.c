/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A loader that loads nothing, and an lkmd-command that runs nothing. Owns its listening sockets, the newest
 * connection of the loader, as the real one does, and the connections for commands.
 */

#include "fake-loader.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "must.h"

#define PENDING_MAX (LOADER_THREADS_MAX + LOADER_THREADS_FOR_KERNEL)
#define FAILURES_MAX 16U

typedef struct Failure {
        char module[MODULE_NAME_MAX + 1];
        int error, wait_status;
        LoaderRefusal refusal;          /* of the loader, not of lkmd-command; or LOADER_NOT_REFUSED */
} Failure;

typedef struct Pending {
        LoaderRequest request;
        int fd;                         /* of a command; -EBADF: it is the loader's */
} Pending;

struct FakeLoader {
        sd_event *event;
        int fd;
        sd_event_source *listen_source, *command_source, *source;
        bool hold, blind, silent;
        LoaderRequest last;
        Pending *pending[PENDING_MAX];
        size_t n_pending, n_connections;
        Failure failures[FAILURES_MAX];
        size_t n_failures;
        char story[4096];
};

static void forget_pending(FakeLoader *l, size_t i) {
        closep(&l->pending[i]->fd);
        free(l->pending[i]);
        memmove(l->pending + i, l->pending + i + 1, (--l->n_pending - i) * sizeof(*l->pending));
}

/* Commands have connections of their own, and go on. */
static void disconnect(FakeLoader *l) {
        l->source = sd_event_source_disable_unref(l->source);
        for (size_t i = l->n_pending; i > 0; i--)
                if (l->pending[i - 1]->fd < 0)
                        forget_pending(l, i - 1);
        closep(&l->fd);
        l->fd = -EBADF;
}

/* As the real one, it drops what a manager that has hung up cannot hear. */
static void send_all(int fd, const void *data, size_t size) {
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

        must(n == (ssize_t) size || (n < 0 && (errno == EPIPE || errno == ECONNRESET)), "send");
}

static void reply(int fd, const LoaderRequest *request, const Failure *f) {
        LoaderReply r = {
                .magic = LOADER_MAGIC,
                .id = request->id,
                .error = f->error,
                .wait_status = f->wait_status,
                .refusal = f->refusal,
                .duration_usec = 1500,
        };

        send_all(fd, &r, sizeof(r));
}

static void note(FakeLoader *l, const LoaderRequest *request) {
        static const char *const verbs[_LOADER_OP_MAX] = {
                [LOADER_INSERT] = "insert",
                [LOADER_REMOVE] = "remove",
                [LOADER_INSTALL_COMMAND] = "install-command",
                [LOADER_REMOVE_COMMAND] = "remove-command",
        };
        size_t n = strlen(l->story);
        int written;

        written = snprintf(l->story + n, sizeof(l->story) - n, "%s%s %s", n > 0 ? ", " : "",
                           verbs[request->op], request->module);
        must(written > 0 && (size_t) written < sizeof(l->story) - n, "story");
}

static void reply_look(FakeLoader *l, const LoaderRequest *request) {
        LoaderReply r = { .magic = LOADER_MAGIC, .id = request->id, .op = LOADER_LOOK };

        if (l->blind)
                return;
        for (size_t i = 0; i < l->n_pending; i++)
                if (l->pending[i]->request.id == request->id)
                        r.thread_id = 4711;
        if (r.thread_id > 0)
                (void) stpcpy(r.text, "[<0>] msleep+0x2d/0x40\n[<0>] do_one_initcall+0x58/0x300\n");
        send_all(l->fd, &r, sizeof(r));
}

/* @command_fd: taken; -EBADF: it came to the loader. */
static void take_request(FakeLoader *l, const LoaderRequest *request, int command_fd) {
        _cleanup_(closep) int own_fd = command_fd;
        int fd = command_fd >= 0 ? command_fd : l->fd;

        if (request->op == LOADER_LOOK) {
                reply_look(l, request);
                return;
        }
        note(l, request);
        l->last = *request;
        if (l->hold) {
                Pending *kept = malloc(sizeof(*kept));

                must(kept && l->n_pending < PENDING_MAX, "pending");
                *kept = (Pending) { .request = *request, .fd = STEAL_FD(own_fd) };
                l->pending[l->n_pending++] = kept;
                return;
        }
        for (size_t i = 0; i < l->n_failures; i++)
                if (streq(l->failures[i].module, request->module) &&
                    (fd == l->fd || l->failures[i].refusal == LOADER_NOT_REFUSED)) {
                        reply(fd, request, l->failures + i);
                        return;
                }
        reply(fd, request, &(Failure) {});
}

/* Return: false: the manager hung up. */
static bool receive(int fd, LoaderRequest *request) {
        ssize_t n = recv(fd, request, sizeof(*request), MSG_TRUNC);

        if (n <= 0)
                return false;
        must(n == (ssize_t) LOADER_REQUEST_SIZE(request->words.n_origins) && request->magic == LOADER_MAGIC,
             "request");
        must(request->op >= LOADER_INSERT && request->op < _LOADER_OP_MAX, "op");
        return true;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        FakeLoader *l = userdata;
        LoaderRequest request = {};

        if (!receive(fd, &request)) {
                disconnect(l);
                return 0;
        }
        if (request.op == LOADER_INSTALL_COMMAND || request.op == LOADER_REMOVE_COMMAND)
                must(false, "a command in the loader");
        take_request(l, &request, -EBADF);
        return 0;
}

/* The manager sends its request before it does anything else, so it is there. */
static int on_command(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        _cleanup_(closep) int command_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        LoaderRequest request = {};
        FakeLoader *l = userdata;

        must(command_fd >= 0, "accept4");
        if (l->silent || !receive(command_fd, &request))
                return 0;
        send_all(command_fd,
                 &(LoaderReply) {
                         .magic = LOADER_MAGIC, .id = request.id, .op = LOADER_LOOK, .thread_id = 4712 },
                 sizeof(LoaderReply));
        take_request(l, &request, STEAL_FD(command_fd));
        return 0;
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        FakeLoader *l = userdata;

        disconnect(l);
        l->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        must(l->fd >= 0, "accept4");
        l->n_connections++;
        must(sd_event_add_io(l->event, &l->source, l->fd, EPOLLIN, on_readable, l) >= 0, "sd_event_add_io");
        return 0;
}

static void serve(FakeLoader *l, const char *address, sd_event_io_handler_t handler, sd_event_source **ret) {
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        int fd;

        must(strlen(address) < sizeof(name.sun_path), address);
        (void) stpcpy(name.sun_path, address);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        must(fd >= 0 && bind(fd, (const struct sockaddr *) &name, sizeof(name)) == 0 && listen(fd, 128) == 0,
             address);
        must(sd_event_add_io(l->event, ret, fd, EPOLLIN, handler, l) >= 0, "sd_event_add_io");
        must(sd_event_source_set_io_fd_own(*ret, true) >= 0, "own");
}

FakeLoader *fake_loader_new(sd_event *event, const char *address, const char *command_address) {
        FakeLoader *l = calloc(1, sizeof(*l));

        must(l != NULL, "memory");
        l->event = sd_event_ref(event);
        l->fd = -EBADF;
        serve(l, address, on_connection, &l->listen_source);
        serve(l, command_address, on_command, &l->command_source);
        return l;
}

FakeLoader *fake_loader_free(FakeLoader *l) {
        if (!l)
                return NULL;

        disconnect(l);
        while (l->n_pending > 0)
                forget_pending(l, 0);
        sd_event_source_disable_unref(l->listen_source);
        sd_event_source_disable_unref(l->command_source);
        sd_event_unref(l->event);
        free(l);
        return NULL;
}

void fake_loader_hold(FakeLoader *l, bool hold) {
        l->hold = hold;
}

void fake_loader_blind(FakeLoader *l, bool blind) {
        l->blind = blind;
}

void fake_loader_let_fail(FakeLoader *l, const char *module, int error, int wait_status) {
        must(l->n_failures < FAILURES_MAX, "failures");
        l->failures[l->n_failures] = (Failure) { .error = error, .wait_status = wait_status };
        snprintf(l->failures[l->n_failures++].module, sizeof(l->failures->module), "%s", module);
}

/* The oldest request for that module that is held. */
void fake_loader_answer(FakeLoader *l, const char *module, int error) {
        for (size_t i = 0; i < l->n_pending; i++) {
                if (!streq(l->pending[i]->request.module, module))
                        continue;
                reply(l->pending[i]->fd >= 0 ? l->pending[i]->fd : l->fd, &l->pending[i]->request,
                      &(Failure) { .error = error });
                forget_pending(l, i);
                return;
        }
        must(false, module);
}

/* lkmd-command does not refuse it. */
void fake_loader_let_refuse(FakeLoader *l, const char *module, LoaderRefusal refusal) {
        fake_loader_let_fail(l, module, -EPERM, 0);
        l->failures[l->n_failures - 1].refusal = refusal;
}

/* It was told to end: it takes no more requests, and answers those that it holds. */
void fake_loader_leave(FakeLoader *l) {
        for (size_t i = 0; i < l->n_pending; i++)
                if (l->pending[i]->fd < 0) {
                        l->pending[i]->fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
                        must(l->pending[i]->fd >= 0, "F_DUPFD_CLOEXEC");
                }
        must(shutdown(l->fd, SHUT_RD) == 0, "shutdown");
        disconnect(l);
}

/* lkmd-command is killed in the middle of it. */
void fake_loader_lose_command(FakeLoader *l, const char *module) {
        for (size_t i = 0; i < l->n_pending; i++)
                if (l->pending[i]->fd >= 0 && streq(l->pending[i]->request.module, module)) {
                        forget_pending(l, i);
                        return;
                }
        must(false, module);
}

/* lkmd-command does not start: systemd closes each connection. */
void fake_loader_silence_commands(FakeLoader *l, bool silent) {
        l->silent = silent;
}

void fake_loader_send(FakeLoader *l, const void *data, size_t size) {
        send_all(l->fd, data, size);
}

void fake_loader_hang_up(FakeLoader *l) {
        disconnect(l);
}

const char *fake_loader_story(const FakeLoader *l) {
        return l->story;
}

void fake_loader_forget(FakeLoader *l) {
        l->story[0] = '\0';
}

const LoaderRequest *fake_loader_last(const FakeLoader *l) {
        return &l->last;
}

const LoaderRequest *fake_loader_oldest(const FakeLoader *l) {
        return l->n_pending > 0 ? &l->pending[0]->request : NULL;
}

size_t fake_loader_count_pending(const FakeLoader *l) {
        return l->n_pending;
}

bool fake_loader_is_connected(const FakeLoader *l) {
        return l->fd >= 0;
}

size_t fake_loader_count_connections(const FakeLoader *l) {
        return l->n_connections;
}
