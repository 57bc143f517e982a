/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Broker: see broker.h. Owns a server of sd-varlink with one method, the clients in front of it, and the plans that
 * run for them. Who asks is told by its control group (peer.c), and may only get what a rule allows that names
 * containers (policy.c).
 *
 * A container learns whether it may use a module, and not what the host is made of: no paths, no rules but their
 * reasons, no lines of the kernel, and not which modules there are that it may not load. The host has all of that in
 * its journal, its ledger and its audit, as for any request.
 */

#include "daemon/service/broker.h"

#include <assert.h>
#include <stdarg.h>
#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/explain/omission-text.h"
#include "common/interface/interface-broker.h"
#include "daemon/base/log.h"
#include "daemon/clients/clients.h"
#include "daemon/engine/plan-run.h"
#include "daemon/service/broker-shares.h"
#include "daemon/service/rights.h"
#include "daemon/service/service-reply.h"

#define SEE_HOST "ask who runs the host; there, \"lkmctl policy audit --by=requester\" has this request"

typedef struct BrokerCall {
        Broker *broker;
        sd_varlink *link;               /* NULL: the client is gone */
        Request *request;               /* referenced */
        PlanRun *run;
        LIST_ENTRY(BrokerCall) next;
} BrokerCall;

struct Broker {
        BrokerOptions options;
        sd_varlink_server *server;
        Clients *clients;
        BrokerShares shares;
        LIST_HEAD(, BrokerCall) calls;
};

static void call_free(BrokerCall *c) {
        LIST_REMOVE(c, next);
        request_unref(c->request);
        plan_run_free(c->run);
        sd_varlink_unref(c->link);
        free(c);
}

/* ------------------------------------------------------------------------------------------------ answers */

/* @reason: of the rule; NULL: it has none, or there is no rule */
static int reply_not_allowed(sd_varlink *link, const char *key, const char *reason) {
        _cleanup_(freep) char *message = NULL, *clean = NULL, *clean_reason = NULL;
        int r;

        if (asprintf(&message, "this container may not load %s: not allowed by the host's policy%s%s", key,
                     reason ? ": " : "", reason ?: "") < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = text_escape(message, &clean);
        if (r >= 0 && reason)
                r = text_escape(reason, &clean_reason);
        if (r < 0)
                return r;
        (void) sd_varlink_errorbo(
                link, BROKER_ERROR_NOT_ALLOWED, SD_JSON_BUILD_PAIR_STRING("message", clean),
                SD_JSON_BUILD_PAIR_STRING("hint", SEE_HOST),
                SD_JSON_BUILD_PAIR_CONDITION(reason != NULL, "reason", SD_JSON_BUILD_STRING(clean_reason)));
        return 0;
}

static int reply_failure(sd_varlink *link, const char *key, int error) {
        _cleanup_(freep) char *message = NULL, *clean = NULL;
        int r;

        if (asprintf(&message, "the host could not load %s: %s", key, strerror(error)) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = text_escape(message, &clean);
        if (r < 0)
                return r;
        (void) sd_varlink_errorbo(
                link, BROKER_ERROR_LOAD_FAILED, SD_JSON_BUILD_PAIR_STRING("message", clean),
                SD_JSON_BUILD_PAIR_STRING("hint", "ask who runs the host; there, \"lkmctl log\" has the cause"),
                SD_JSON_BUILD_PAIR_INTEGER("errno", error));
        return 0;
}

/* The reason that a rule gives; what lkmd says of other lines is about files of the host's. */
static const char *get_reason(PolicySource source, const char *reason) {
        return source == POLICY_BY_RULE || source == POLICY_BY_LIST || source == POLICY_BY_GRANT ? reason
                                                                                                 : NULL;
}

static int reply_obstacle(sd_varlink *link, const char *key, const PlanOmission *o) {
        return omission_is_refusal(o)
                       ? reply_not_allowed(link, key, get_reason(o->ruling.source, o->ruling.reason))
                       : reply_failure(link, key, ENOENT);
}

static bool is_builtin(const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].action != PLAN_BUILTIN)
                        return false;
        return true;
}

static int call_reply(const BrokerCall *c) {
        const Record *failure = plan_run_get_failure(c->run);
        const Plan *plan = plan_run_get_plan(c->run);
        const PlanOmission *obstacle = plan_find_obstacle(plan); /* since the call was begun */

        if (obstacle)
                return reply_obstacle(c->link, c->request->key, obstacle);
        if (failure)
                return reply_failure(c->link, c->request->key, -failure->error);
        return sd_varlink_replybo(c->link, SD_JSON_BUILD_PAIR_BOOLEAN("builtIn", is_builtin(plan)));
}

static void on_run_done(PlanRun *run, void *userdata) {
        BrokerCall *c = userdata;
        int r;

        r = c->link ? call_reply(c) : 0;
        if (r < 0) {
                log_warning("cannot answer a container: %s", strerror(-r));
                (void) sd_varlink_error_errno(c->link, r);
        }
        call_free(c);
}

/* ------------------------------------------------------------------------------------------------ requests */

/* @plan: taken in any case */
static int call_start(Broker *b, sd_varlink *link, Request *request, Plan *plan) {
        _cleanup_(plan_freep) Plan *taken = plan;
        BrokerCall *c;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        r = plan_run_new(&c->run, b->options.scheduler, b->options.planner, taken, request, on_run_done, c);
        if (r < 0) {
                free(c);
                return r;
        }
        STEAL_PTR(taken);
        c->broker = b;
        c->request = request_ref(request);
        c->link = sd_varlink_ref(link);
        LIST_INSERT_HEAD(&b->calls, c, next);

        r = plan_run_start(c->run);     /* may reply and free the call */
        if (r < 0)
                call_free(c);
        return r;
}

/* Nothing has that name. Only who might load it is told so; the host's journal has it. */
static int reply_no_match(const Broker *b, sd_varlink *link, const Index *index, const Request *request) {
        PolicyRuling ruling;

        refusal_log_asked(b->options.planner->refusal_log, request, NULL, /* is_load= */ false);
        if (planner_denies_request(b->options.planner, index, request, &ruling))
                return reply_not_allowed(link, request->key, get_reason(ruling.source, ruling.reason));
        (void) reply_message(link, BROKER_ERROR_NO_SUCH_MODULE,
                             "is the name right? Ask who runs the host whether the module is installed",
                             "the host has no module or alias '%s'", request->key);
        return 0;
}

static int carry_out(Broker *b, sd_varlink *link, Request *request) {
        const BrokerOptions *o = &b->options;
        _cleanup_(plan_freep) Plan *plan = NULL;
        const PlanOmission *obstacle;
        uint64_t begun_usec;
        const Index *index;
        int r;

        o->counters->requests++;
        o->counters->lookups++;
        index = index_keeper_get(o->index); /* may rebuild it */
        if (index_keeper_get_unread(o->index))
                return reply_failure(link, request->key, EACCES); /* it may say something about the module */
        begun_usec = clock_usec(CLOCK_MONOTONIC);
        r = planner_plan(o->planner, index, request, PLAN_NAMED, NULL, &plan);
        if (r < 0)
                return r;
        counters_add_time(o->counters, PHASE_PLAN, clock_usec(CLOCK_MONOTONIC) - begun_usec);
        if (plan->n_matches == 0)
                return reply_no_match(b, link, index, request);
        obstacle = plan_find_obstacle(plan);
        if (obstacle)
                return reply_obstacle(link, request->key, obstacle);
        return call_start(b, link, request, STEAL_PTR(plan));
}

/* Return: 0: it is served; else what a method handler returns, after the error was sent. */
static int check_container(Broker *b, sd_varlink *link, const Peer *peer) {
        int r;

        if (!peer->container) {
                (void) reply_message(
                        link, BROKER_ERROR_NOT_A_CONTAINER,
                        "on the host, \"lkmctl require\" uses the other socket of lkmd; which containers are served: "
                        "section CONTAINERS of lkmd-policy(5)",
                        "this process is in no container that lkmd knows");
                return 1;
        }
        r = broker_shares_take(&b->shares, peer->container, clock_usec(CLOCK_MONOTONIC));
        if (r != -EBUSY)
                return r;
        (void) reply_message(link, BROKER_ERROR_BUSY, "try again in a moment",
                             "this container asks for modules too often");
        return 1;
}

/* What can be the name of a module or an alias: text of a sensible length. */
static bool name_is_valid(const char *name) {
        if (name[0] == '\0' || strlen(name) > BROKER_NAME_MAX)
                return false;
        for (; *name; name++)
                if ((unsigned char) *name < ' ' || *name == 0x7f)
                        return false;
        return true;
}

static int vl_method_require(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                             void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, 0, SD_JSON_MANDATORY }, {}
        };
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(freep) char *unit = NULL;
        const char *name = NULL;        /* borrowed */
        Broker *b = userdata;
        const Peer *peer = clients_find_peer(b->clients, link);
        int r;

        r = rights_check(peer, link, "Require", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &name);
        if (r != 0)
                return r;
        if (!name_is_valid(name))
                return sd_varlink_error_invalid_parameter_name(link, "name");
        r = check_container(b, link, peer);
        if (r != 0)
                return MIN(r, 0);
        unit = peer_get_unit(peer);
        r = request_new_container(&request, name, peer->pid, peer->uid, unit, peer->container);
        return r < 0 ? r : carry_out(b, link, request);
}

/* ------------------------------------------------------------------------------------------------- object */

/* What it asked for goes on without a reply. */
static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata) {
        Broker *b = userdata;
        BrokerCall *c;

        LIST_FOREACH(c, &b->calls, next)
                if (c->link == link)
                        c->link = sd_varlink_unref(c->link);
}

static int open_server(Broker *b) {
        int r;

        r = sd_varlink_server_new(&b->server, SD_VARLINK_SERVER_INHERIT_USERDATA);
        if (r < 0)
                return r;
        sd_varlink_server_set_userdata(b->server, b);
        r = sd_varlink_server_set_info(b->server, "lkmd", "lkmd", "", "https://github.com/lkmd/lkmd");
        if (r < 0)
                return r;
        r = sd_varlink_server_set_connections_max(b->server, CLIENTS_MAX);
        if (r >= 0)
                r = sd_varlink_server_add_interface(b->server, &vl_interface_io_lkmd_Broker);
        if (r >= 0)
                r = sd_varlink_server_bind_method(b->server, LKMD_BROKER_INTERFACE ".Require",
                                                  vl_method_require);
        return r < 0 ? r : sd_varlink_server_bind_disconnect(b->server, on_disconnect);
}

/**
 * broker_new() - serve containers from the next turn of the loop on
 * @ret: NULL if the options have no socket
 *
 * Return: 0, or what sd-varlink or bind(2) say.
 */
int broker_new(Broker **ret, const BrokerOptions *options) {
        _cleanup_(closep) int fd = options->listen_fd;
        _cleanup_(broker_freep) Broker *b = NULL;
        int r;

        assert(ret);

        if (fd < 0 && !options->address) {
                *ret = NULL;
                return 0;
        }
        b = calloc(1, sizeof(*b));
        if (!b)
                return -ENOMEM;
        b->options = *options;
        LIST_INIT(&b->calls);
        r = open_server(b);
        if (r < 0)
                return r;
        if (fd < 0)
                fd = clients_listen(options->address, 0666);
        if (fd < 0)
                return fd;
        r = clients_new(&b->clients, &(ClientsOptions) {
                                             .event = options->event,
                                             .server = b->server,
                                             .listen_fd = STEAL_FD(fd),
                                             .interface = LKMD_BROKER_INTERFACE,
                                             .is_broker = true,
                                             .container = options->container,
                                     });
        if (r < 0)
                return r;

        *ret = STEAL_PTR(b);
        return 0;
}

/* Return: NULL. */
Broker *broker_free(Broker *b) {
        if (!b)
                return NULL;

        clients_free(b->clients);
        while (!LIST_EMPTY(&b->calls))
                call_free(LIST_FIRST(&b->calls));
        broker_shares_clear(&b->shares);
        sd_varlink_server_unref(b->server);
        free(b);
        return NULL;
}

/* For tests: as service_add_connection(). */
int broker_add_connection(Broker *b, int fd, const struct ucred *ucred) {
        assert(b);

        return clients_add_connection(b->clients, fd, ucred);
}
