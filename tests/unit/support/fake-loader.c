/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A loader that loads nothing. Owns its listening socket and the newest connection, as the real one does. */

#include "fake-loader.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "must.h"

#define PENDING_MAX 128U
#define FAILURES_MAX 16U

typedef struct Failure {
        char module[MODULE_NAME_MAX + 1];
        int error, wait_status;
} Failure;

struct FakeLoader {
        sd_event *event;
        int fd;
        sd_event_source *listen_source, *source;
        bool hold, blind;
        LoaderRequest last;
        LoaderRequest *pending[PENDING_MAX];
        size_t n_pending, n_connections;
        Failure failures[FAILURES_MAX];
        size_t n_failures;
        char story[4096];
};

static void disconnect(FakeLoader *l) {
        l->source = sd_event_source_disable_unref(l->source);
        for (size_t i = 0; i < l->n_pending; i++)
                free(l->pending[i]);
        l->n_pending = 0;
        closep(&l->fd);
        l->fd = -EBADF;
}

/* As the real one, it drops what a manager that has hung up cannot hear. */
static void send_all(const FakeLoader *l, const void *data, size_t size) {
        ssize_t n = send(l->fd, data, size, MSG_NOSIGNAL);

        must(n == (ssize_t) size || (n < 0 && (errno == EPIPE || errno == ECONNRESET)), "send");
}

static void reply(FakeLoader *l, const LoaderRequest *request, int error, int wait_status) {
        LoaderReply r = {
                .magic = LOADER_MAGIC,
                .id = request->id,
                .error = error,
                .wait_status = wait_status,
                .duration_usec = 1500,
        };

        send_all(l, &r, sizeof(r));
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
                if (l->pending[i]->id == request->id)
                        r.thread_id = 4711;
        if (r.thread_id > 0)
                (void) stpcpy(r.text, "[<0>] msleep+0x2d/0x40\n[<0>] do_one_initcall+0x58/0x300\n");
        send_all(l, &r, sizeof(r));
}

static void take_request(FakeLoader *l, const LoaderRequest *request) {
        if (request->op == LOADER_LOOK) {
                reply_look(l, request);
                return;
        }
        note(l, request);
        l->last = *request;
        if (l->hold) {
                LoaderRequest *kept = malloc(sizeof(*kept));

                must(kept && l->n_pending < PENDING_MAX, "pending");
                *kept = *request;
                l->pending[l->n_pending++] = kept;
                return;
        }
        for (size_t i = 0; i < l->n_failures; i++)
                if (streq(l->failures[i].module, request->module)) {
                        reply(l, request, l->failures[i].error, l->failures[i].wait_status);
                        return;
                }
        reply(l, request, 0, 0);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        FakeLoader *l = userdata;
        LoaderRequest request = {};
        ssize_t n;

        n = recv(fd, &request, sizeof(request), MSG_TRUNC);
        if (n <= 0) {
                disconnect(l);
                return 0;
        }
        must(n == (ssize_t) LOADER_REQUEST_SIZE(request.words.n_origins) && request.magic == LOADER_MAGIC,
             "request");
        must(request.op >= LOADER_INSERT && request.op < _LOADER_OP_MAX, "op");
        take_request(l, &request);
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

FakeLoader *fake_loader_new(sd_event *event, const char *address) {
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        FakeLoader *l = calloc(1, sizeof(*l));
        int fd;

        must(l && strlen(address) < sizeof(name.sun_path), address);
        (void) stpcpy(name.sun_path, address);
        l->event = sd_event_ref(event);
        l->fd = -EBADF;

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        must(fd >= 0 && bind(fd, (const struct sockaddr *) &name, sizeof(name)) == 0 && listen(fd, 8) == 0,
             address);
        must(sd_event_add_io(event, &l->listen_source, fd, EPOLLIN, on_connection, l) >= 0,
             "sd_event_add_io");
        must(sd_event_source_set_io_fd_own(l->listen_source, true) >= 0, "own");
        return l;
}

FakeLoader *fake_loader_free(FakeLoader *l) {
        if (!l)
                return NULL;

        disconnect(l);
        sd_event_source_disable_unref(l->listen_source);
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
                if (!streq(l->pending[i]->module, module))
                        continue;
                reply(l, l->pending[i], error, 0);
                free(l->pending[i]);
                memmove(l->pending + i, l->pending + i + 1, (--l->n_pending - i) * sizeof(*l->pending));
                return;
        }
        must(false, module);
}

void fake_loader_send(FakeLoader *l, const void *data, size_t size) {
        send_all(l, data, size);
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
        return l->n_pending > 0 ? l->pending[0] : NULL;
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
