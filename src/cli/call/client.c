/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Client: the connection to lkmd, made at the first call, and one call at a time over it. Owns the link and
 * the loop it runs in; borrows the Output that errors are printed by, and the name of the host. Verbs get a
 * reply or an exit status, never a varlink error.
 */

#include "cli/call/client.h"

#include <assert.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include "cli/call/failure.h"
#include "common/base/clock.h"
#include "common/base/paths.h"

#define CONNECT_TIMEOUT_SEC 10

struct Client {
        Output *out;
        const char *host;               /* NULL: this machine */
        sd_event *event;
        sd_varlink *link;               /* NULL: not connected */
};

typedef struct Call {
        const CallHooks *hooks;
        bool done;
        bool answered;                  /* there has been a reply */
        int result;                     /* of a hook that ended the call */
        sd_json_variant *reply;         /* the last one, or the fields of the error */
        char *error_id;                 /* NULL: it was not an error */
} Call;

static void call_clear(Call *call) {
        sd_json_variant_unref(call->reply);
        free(call->error_id);
}

/**
 * client_new() - prepare to talk to lkmd, without connecting yet
 * @out:  borrowed
 * @host: borrowed, "[USER@]HOST" for ssh, already checked; NULL: this machine
 */
int client_new(Client **ret, Output *out, const char *host) {
        _cleanup_(client_freep) Client *c = NULL;
        int r;

        assert(ret && out);

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->out = out;
        c->host = host;

        r = sd_event_new(&c->event);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(c);
        return 0;
}

Client *client_free(Client *c) {
        if (!c)
                return NULL;

        sd_varlink_close_unref(c->link);
        sd_event_unref(c->event);
        free(c);
        return NULL;
}

static const char *main_address(void) {
        return secure_getenv(LKMD_SOCKET_ENV) ?: LKMD_SOCKET;
}

static const char *broker_address(void) {
        return endswith(main_address(), "/" LKMD_BROKER_INTERFACE)
                       ? main_address()
                       : secure_getenv(LKMD_BROKER_SOCKET_ENV) ?: LKMD_BROKER_SOCKET;
}

/**
 * client_asks_broker() - is the broker for containers all that can be asked from here?
 *
 * It is if its socket is there, and that of the host is not, which no container should have.
 */
bool client_asks_broker(const Client *c) {
        assert(c);

        return !c->host && access(broker_address(), F_OK) >= 0 &&
               (broker_address() == main_address() || access(main_address(), F_OK) < 0);
}

static bool is_broker(const char *address) {
        return streq(address, broker_address());
}

/* Return: the exit status, after reporting why no connection was made. */
static int report_not_reachable(Client *c, const char *address, int error) {
        if (c->host)
                return failure_print_own(c->out, CLIENT_ERROR_NOT_REACHABLE, NULL,
                                        "cannot run ssh to %s: %s", c->host, strerror(-error));

        if (is_broker(address))
                return failure_print_own(c->out, CLIENT_ERROR_NOT_REACHABLE,
                                         "try again in a moment; on the host: systemctl status lkmd",
                                         "lkmd of the host does not answer on %s: %s", address,
                                         strerror(-error));
        if (client_asks_broker(c))
                return failure_print_own(c->out, CLIENT_ERROR_NOT_REACHABLE, "lkmctl require MODULE",
                                         "in a container, lkmd can only be asked for modules");

        switch (error) {
        case -ENOENT:
        case -ENOTDIR:
                return failure_print_own(c->out, CLIENT_ERROR_NOT_REACHABLE, "systemctl start lkmd",
                                        "lkmd is not running: there is no %s", address);
        case -ECONNREFUSED:
                return failure_print_own(c->out, CLIENT_ERROR_NOT_REACHABLE,
                                        "systemctl restart lkmd; why it ended: journalctl -u lkmd",
                                        "lkmd is not running: nobody listens on %s any more", address);
        case -EACCES:
        case -EPERM:
                return failure_print_own(c->out, CLIENT_ERROR_NOT_REACHABLE, "the same with sudo",
                                        "not allowed to connect to %s", address);
        case -ETIMEDOUT:
                return failure_print_own(c->out, CLIENT_ERROR_NOT_REACHABLE,
                                         "try again in a moment; systemctl status lkmd",
                                         "lkmd is too busy: nobody was let in on %s within %u s", address,
                                         (unsigned) CONNECT_TIMEOUT_SEC);
        default:
                return failure_print_own(c->out, CLIENT_ERROR_NOT_REACHABLE, "systemctl status lkmd",
                                        "cannot connect to %s: %s", address, strerror(-error));
        }
}

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error_id,
                    sd_varlink_reply_flags_t flags, void *userdata) {
        Call *call = userdata;

        if (!call || call->done)
                return 0;

        if (!error_id && (flags & SD_VARLINK_REPLY_CONTINUES)) {
                call->answered = true;
                call->result = call->hooks->on_reply(parameters, call->hooks->userdata);
                call->done = call->result != 0;
                return 0;
        }

        if (error_id) {
                if (flags & SD_VARLINK_REPLY_LOCAL)
                        error_id = streq(error_id, SD_VARLINK_ERROR_DISCONNECTED) ? CLIENT_ERROR_DISCONNECTED :
                                streq(error_id, SD_VARLINK_ERROR_TIMEOUT) ? CLIENT_ERROR_NO_ANSWER :
                                CLIENT_ERROR_BAD_REPLY;
                call->error_id = strdup(error_id);
                if (!call->error_id)
                        call->result = -ENOMEM;
        }
        call->reply = sd_json_variant_ref(parameters);
        call->done = true;
        return 0;
}

/*
 * Waits while the backlog of lkmd's socket is full, as it is when somebody connects again and again; sd-varlink would
 * take that for a connection in progress. Return: the socket, owned by the caller; negative errno.
 */
static int connect_to(const char *address) {
        const struct timeval patience = { .tv_sec = CONNECT_TIMEOUT_SEC };
        struct sockaddr_un name = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = -EBADF;

        if (strlen(address) >= sizeof(name.sun_path))
                return -ENAMETOOLONG;
        (void) stpcpy(name.sun_path, address);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (connect(fd, (const struct sockaddr *) &name, sizeof(name)) < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        return STEAL_FD(fd);
}

static int link_to(sd_varlink **ret, const char *address) {
        _cleanup_(closep) int fd = connect_to(address);
        int r;

        if (fd < 0)
                return fd;
        r = sd_varlink_connect_fd(ret, fd);
        if (r >= 0)
                fd = -EBADF;            /* taken */
        return r;
}

/* @silent: do not report why not. Return: 0; an ExitStatus, after reporting why; negative errno. */
static int client_connect(Client *c, const char *address, bool silent) {
        _cleanup_(sd_varlink_close_unrefp) sd_varlink *link = NULL;
        int r;

        if (c->host) {
                _cleanup_(freep) char *url = NULL;

                if (asprintf(&url, "ssh-unix:%s:%s", c->host, LKMD_SOCKET) < 0) {
                        url = NULL;
                        return -ENOMEM;
                }
                r = sd_varlink_connect_url(&link, url);
        } else
                r = link_to(&link, address);
        if (r < 0)
                return silent ? STATUS_NOT_REACHABLE : report_not_reachable(c, address, r);

        r = sd_varlink_bind_reply(link, on_reply);
        if (r < 0)
                return r;
        r = sd_varlink_attach_event(link, c->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;

        c->link = STEAL_PTR(link);
        return 0;
}

static void client_disconnect(Client *c) {
        c->link = sd_varlink_close_unref(c->link);
}

static int on_stdout_gone(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Call *call = userdata;

        call->result = -EPIPE;
        call->done = true;
        return 0;
}

static int on_stdin(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Call *call = userdata;

        call->result = call->hooks->on_input(call->hooks->userdata);
        call->done |= call->result != 0;
        return 0;
}

static int run_until_done(Client *c, Call *call) {
        uint64_t next_usec = clock_usec(CLOCK_MONOTONIC) + USEC_PER_SEC;
        int r;

        while (!call->done) {
                uint64_t now = clock_usec(CLOCK_MONOTONIC);

                if (call->hooks->on_second && now >= next_usec) {
                        call->hooks->on_second(call->hooks->userdata);
                        next_usec = now + USEC_PER_SEC;
                }
                r = sd_event_run(c->event, call->hooks->on_second ? next_usec - now : UINT64_MAX);
                if (r < 0)
                        return r;
        }
        return call->result;
}

/* Return: as client_call(). */
static int client_finish(Client *c, Call *call, const char *address, sd_json_variant **ret_reply) {
        if (!call->error_id) {
                *ret_reply = STEAL_PTR(call->reply);
                return 0;
        }
        if (call->hooks->on_error) {
                int r = call->hooks->on_error(call->error_id, &call->reply, call->hooks->userdata);

                if (r < 0)
                        return r;
        }
        if (call->hooks->silent)
                return startswith(call->error_id, "io.lkmd.Client.") ? STATUS_NOT_REACHABLE : STATUS_FAILED;
        if (streq(call->error_id, CLIENT_ERROR_DISCONNECTED)) {
                if (c->host)
                        return failure_print_own(c->out, call->error_id,
                                                 "systemctl status lkmd on that machine",
                                                 "no connection to lkmd on %s", c->host);
                return failure_print_own(c->out, call->error_id, "systemctl status lkmd; journalctl -u lkmd",
                                        call->answered ? "lkmd went away" :
                                        "the connection to lkmd broke before it had answered");
        }
        if (streq(call->error_id, CLIENT_ERROR_NO_ANSWER))
                return failure_print_own(c->out, call->error_id, "systemctl status lkmd; journalctl -u lkmd",
                                        "lkmd has not answered on %s", address);
        return failure_print(c->out, call->error_id, call->reply);
}

/**
 * client_call() - call a method and wait for its last reply
 * @method:     of another interface than lkmd's: with it; of the broker's, all calls of the client have to be
 * @parameters: borrowed; NULL: none
 * @hooks:      borrowed for the call; NULL: just wait
 * @ret_reply:  the last reply, owned by the caller
 *
 * Return: 0; an ExitStatus, after reporting the failure unless the hooks are silent; the result of the hook that
 * ended the call; negative errno.
 */
int client_call(
                Client *c,
                const char *method,
                sd_json_variant *parameters,
                const CallHooks *hooks,
                sd_json_variant **ret_reply) {

        static const CallHooks no_hooks = {};
        _cleanup_(sd_event_source_disable_unrefp) sd_event_source *stdout_source = NULL,
                                                                  *stdin_source = NULL;
        _cleanup_(call_clear) Call call = { .hooks = hooks ?: &no_hooks };
        const char *address;
        char name[128];
        int r;

        assert(c && method && ret_reply);

        address = startswith(method, LKMD_BROKER_INTERFACE ".") ? broker_address() : main_address();

        if (strchr(method, '.'))
                (void) snprintf(name, sizeof(name), "%s", method);
        else
                (void) snprintf(name, sizeof(name), "%s.%s", LKMD_INTERFACE, method);

        if (!c->link) {
                r = client_connect(c, address, call.hooks->silent);
                if (r != 0)
                        return r;
        }
        if (call.hooks->ends_with_stdout)
                /* No events are asked for: only errors wake it. A regular file cannot be watched, and need not be. */
                (void) sd_event_add_io(c->event, &stdout_source, STDOUT_FILENO, 0, on_stdout_gone, &call);

        if (call.hooks->on_input)
                (void) sd_event_add_io(c->event, &stdin_source, STDIN_FILENO, EPOLLIN, on_stdin, &call);

        r = sd_varlink_set_relative_timeout(c->link, call.hooks->answer_usec ?: UINT64_MAX);
        if (r < 0)
                return r;
        (void) sd_varlink_set_userdata(c->link, &call);
        r = call.hooks->on_reply ? sd_varlink_observe(c->link, name, parameters) :
                sd_varlink_invoke(c->link, name, parameters);
        if (r >= 0)
                r = run_until_done(c, &call);
        (void) sd_varlink_set_userdata(c->link, NULL);

        if (r == 0)
                r = client_finish(c, &call, address, ret_reply);
        if (r < 0 || (call.error_id && startswith(call.error_id, "io.lkmd.Client.")))
                client_disconnect(c);           /* its state is not known */
        return r;
}
