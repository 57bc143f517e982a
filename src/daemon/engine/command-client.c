/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CommandClient: sends requests to lkmd-command and reports their outcomes. systemd starts a process for each
 * connection, so a command that hangs, or a program that was replaced, concerns no other request. Owns the
 * connections; never waits.
 */

#include "daemon/engine/command-client.h"

#include <assert.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "daemon/base/loop-order.h"

typedef struct Call {
        CommandClient *client;
        uint64_t id;
        pid_t process;                  /* 0: lkmd-command has not said anything yet */
        sd_event_source *source;        /* owns the connection */
        LIST_ENTRY(Call) next;
} Call;

struct CommandClient {
        sd_event *event;
        char *address;
        loader_done_t done;
        void *userdata;
        LIST_HEAD(, Call) calls;
};

/**
 * command_client_new() - without any connection
 * @address: path of lkmd-command's socket, copied
 * @done:    called once for each request that was sent; see LoaderOutcome.error
 *
 * Return: 0 or -ENOMEM.
 */
int command_client_new(CommandClient **ret, sd_event *event, const char *address, loader_done_t done,
                       void *userdata) {
        _cleanup_(command_client_freep) CommandClient *c = NULL;

        assert(ret && event && address && done);

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (CommandClient) { .event = sd_event_ref(event), .done = done, .userdata = userdata };
        LIST_INIT(&c->calls);
        c->address = strdup(address);
        if (!c->address)
                return -ENOMEM;
        *ret = STEAL_PTR(c);
        return 0;
}

static Call *call_free(Call *call) {
        if (!call)
                return NULL;

        LIST_REMOVE(call, next);
        sd_event_source_disable_unref(call->source);
        free(call);
        return NULL;
}
DEFINE_CLEANUP(Call, call_free);

/* Return: NULL. Commands go on; @done is not called any more. */
CommandClient *command_client_free(CommandClient *c) {
        Call *call;

        if (!c)
                return NULL;

        while ((call = LIST_FIRST(&c->calls)))
                call_free(call);
        sd_event_unref(c->event);
        free(c->address);
        free(c);
        return NULL;
}

/* The call ends before its outcome is reported: the callback may send the next one, or free the client. */
static void finish(Call *call, const LoaderOutcome *outcome) {
        CommandClient *c = call->client;

        call_free(call);
        c->done(outcome, c->userdata);
}

/* lkmd-command went away without an answer, or does not speak this protocol. */
static void finish_lost(Call *call, bool other_version) {
        int error = other_version ? -EPROTO : call->process > 0 ? -ECONNRESET : -ENOTCONN;

        finish(call, &(LoaderOutcome) { .id = call->id, .error = error, .output = "" });
}

static int on_reply(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Call *call = userdata;
        LoaderReply reply;
        LoaderOutcome outcome;
        int r;

        r = loader_packet_receive(fd, &reply);
        if (r == -EAGAIN)
                return 0;
        if (r < 0 || reply.id != call->id) {
                finish_lost(call, r == -EPROTO);
                return 0;
        }
        if (reply.op == LOADER_LOOK) {
                call->process = reply.thread_id;
                return 0;
        }
        loader_packet_outcome(&reply, &outcome);
        finish(call, &outcome);
        return 0;
}

/**
 * command_client_send() - have one request carried out
 *
 * Return: 0; -E2BIG if a string does not fit; -ENOENT or -ECONNREFUSED if there is no socket; -ENOMEM.
 */
int command_client_send(CommandClient *c, const LoaderOrder *order) {
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(call_freep) Call *call = NULL;
        LoaderRequest request;
        int r;

        assert(c && order && order->module);

        r = loader_packet_make(&request, order);
        if (r < 0)
                return r;
        fd = loader_packet_connect(c->address);
        if (fd < 0)
                return fd;

        call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;
        *call = (Call) { .client = c, .id = order->id };
        LIST_INSERT_HEAD(&c->calls, call, next);
        r = sd_event_add_io(c->event, &call->source, fd, EPOLLIN, on_reply, call);
        if (r < 0)
                return r;
        r = loader_packet_send(fd, &request, order->client_fd);
        if (r < 0)
                return r;
        (void) sd_event_source_set_io_fd_own(call->source, true);
        STEAL_FD(fd);
        (void) sd_event_source_set_priority(call->source, LOOP_LOADER);
        (void) sd_event_source_set_description(call->source, "command");
        STEAL_PTR(call);
        return 0;
}

/* The process that carries out a request, of which the slow ones are reported. 0: it is not known, or over. */
pid_t command_client_get_process(const CommandClient *c, uint64_t id) {
        const Call *call;

        assert(c);

        LIST_FOREACH(call, &c->calls, next)
                if (call->id == id)
                        return call->process;
        return 0;
}
