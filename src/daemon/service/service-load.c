/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Load: from the parameters of the call to a plan, and from the outcome of the plan to the reply. */

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/text.h"
#include "common/explain/omission-text.h"
#include "common/module/module-parameters.h"
#include "common/interface/interface.h"
#include "common/plan/plan-json.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"
#include "daemon/engine/plan-run.h"
#include "daemon/history/record-json.h"
#include "daemon/service/service-caller.h"
#include "daemon/service/service-internal.h"
#include "daemon/service/service-reply.h"

#define COMMANDS_DEEP_MAX 16U           /* commands that wait for each other in a row */

struct LoadCall {
        Service *service;
        sd_varlink *link;               /* NULL: the client is gone */
        bool more;
        PlanRun *run;
        Request *request;               /* referenced */
        char **parameters;              /* NULL or empty: none */
        char *command_of;               /* module whose command makes the call; NULL: none does */
        LIST_ENTRY(LoadCall) next;
};

static void free_parameters(char **parameters) {
        for (char **s = parameters; s && *s; s++)
                free(*s);
        free(parameters);
}

static void load_call_free(LoadCall *c) {
        LIST_REMOVE(c, next);
        free_parameters(c->parameters);
        free(c->command_of);
        request_drop_client(c->request);
        request_unref(c->request);
        plan_run_free(c->run);
        sd_varlink_unref(c->link);
        free(c);
}

/* The client is gone: what it asked for goes on without a reply. */
void service_forget_loads(Service *s, sd_varlink *link) {
        LoadCall *c;

        LIST_FOREACH(c, &s->loads, next)
                if (c->link == link) {
                        c->link = sd_varlink_unref(c->link);
                        request_drop_client(c->request);
                }
}

void service_drop_loads(Service *s) {
        while (!LIST_EMPTY(&s->loads))
                load_call_free(LIST_FIRST(&s->loads));
}

static bool plan_has_module(const Plan *plan, const Record *record) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (streq(plan->steps[i].module, record_file_module(record)))
                        return true;
        return false;
}

void service_report_loads(Service *s, const char *kind, const Record *record) {
        LoadCall *c;

        LIST_FOREACH(c, &s->loads, next)
                if (c->link && c->more && !record->removal &&
                    plan_has_module(plan_run_get_plan(c->run), record))
                        (void) send_progress(c->link, kind, record);
}

/* --------------------------------------------------------------------------------------------- denials */

/*
 * The request cannot succeed: replies with the module that is missing or denied, and the file and line that deny it.
 */
static int reply_obstacle(sd_varlink *link, const Plan *plan, const PlanOmission *o) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *fields = NULL;
        _cleanup_(freep) char *message = NULL, *hint = NULL, *module = NULL;
        bool denied = omission_is_refusal(o);
        PlanRuling ruling = o->ruling;
        int r;

        ruling.column = 0;              /* not in the interface */
        r = plan_explain_obstacle(plan, o, &message, &hint);
        if (r >= 0)
                r = text_escape(o->module, &module);
        if (r >= 0 && denied)
                r = plan_ruling_to_json(&ruling, &fields);
        if (r >= 0 && !denied)
                r = sd_json_variant_set_field_integer(&fields, "errno", ENOENT);
        if (r >= 0)
                r = sd_json_variant_set_field_string(&fields, "module", module);
        if (r >= 0)
                r = sd_json_variant_set_field_string(&fields, "message", message);
        if (r >= 0)
                r = sd_json_variant_set_field_string(&fields, "hint", hint);
        return r < 0 ? r
                     : sd_varlink_error(link, denied ? LKMD_ERROR_DENIED : LKMD_ERROR_LOAD_FAILED, fields);
}

/* --------------------------------------------------------------------------------------------- commands */

/*
 * Would a plan have to wait for the install command of @module, which waits for the call that the plan is for? Also by
 * way of other commands, which have made calls that wait. What they ask for is in their plans.
 */
static bool waits_for_command(const Service *s, const Plan *plan, const char *module, unsigned depth) {
        const LoadCall *c;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                if (step->action != PLAN_COMMAND || module_state_read(plan_step_name(step)) == MODULE_LIVE)
                        continue;
                if (streq(step->module, module) || depth == COMMANDS_DEEP_MAX)
                        return true;
                LIST_FOREACH(c, &s->loads, next)
                        if (c->command_of && streq(c->command_of, step->module) &&
                            waits_for_command(s, plan_run_get_plan(c->run), module, depth + 1))
                                return true;
        }
        return false;
}

int service_reply_circle(sd_varlink *link, const char *module) {
        _cleanup_(freep) char *clean = NULL, *message = NULL, *hint = NULL;
        int r;

        r = text_escape(module, &clean);
        if (r < 0)
                return r;
        if (asprintf(&message, "the command of %s in modprobe.d asks for what has to wait for that command",
                     clean) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        if (asprintf(
                    &hint,
                    "in the command, modprobe --ignore-install %s loads, and modprobe -r --ignore-remove %s "
                    "removes, the module itself",
                    clean, clean) < 0) {
                hint = NULL;
                return -ENOMEM;
        }
        return sd_varlink_errorbo(
                link, LKMD_ERROR_LOAD_FAILED, SD_JSON_BUILD_PAIR_STRING("message", message),
                SD_JSON_BUILD_PAIR_STRING("hint", hint), SD_JSON_BUILD_PAIR_STRING("module", clean),
                SD_JSON_BUILD_PAIR_INTEGER("errno", EDEADLK));
}

/* --------------------------------------------------------------------------------------------- outcome */

static int reply_failure(sd_varlink *link, const Record *failure, sd_json_variant *records) {
        _cleanup_(freep) char *module = NULL, *message = NULL, *hint = NULL;
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *log = NULL;
        int r;

        r = text_escape(failure->module, &module);
        if (r >= 0)
                r = text_escape(failure->message ?: strerror(-failure->error), &message);
        if (r >= 0 && failure->hint)
                r = text_escape(failure->hint, &hint);
        if (r >= 0)
                r = sd_json_variant_new_array(&log, NULL, 0);
        for (size_t i = 0; r >= 0 && failure->kernel_log && failure->kernel_log[i]; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *line = NULL;
                _cleanup_(freep) char *text = NULL;

                r = text_escape(failure->kernel_log[i], &text);
                if (r >= 0)
                        r = sd_json_variant_new_string(&line, text);
                if (r >= 0)
                        r = sd_json_variant_append_array(&log, line);
        }
        if (r < 0)
                return r;

        return sd_varlink_errorbo(
                link, LKMD_ERROR_LOAD_FAILED, SD_JSON_BUILD_PAIR_STRING("message", message),
                SD_JSON_BUILD_PAIR_CONDITION(hint != NULL, "hint", SD_JSON_BUILD_STRING(hint)),
                SD_JSON_BUILD_PAIR_STRING("module", module),
                SD_JSON_BUILD_PAIR_INTEGER("errno", -failure->error),
                SD_JSON_BUILD_PAIR_CONDITION(failure->not_proven, "notProven", SD_JSON_BUILD_BOOLEAN(true)),
                SD_JSON_BUILD_PAIR_VARIANT("kernelLog", log),
                SD_JSON_BUILD_PAIR_VARIANT("records", records));
}

static int load_call_reply(const LoadCall *c) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *records = NULL, *omissions = NULL;
        const Record *failure = plan_run_get_failure(c->run);
        const Plan *plan = plan_run_get_plan(c->run);
        const PlanOmission *denied = plan_find_obstacle(plan); /* denied after the call was begun */
        int r;

        r = describe_records(plan_run_get_records(c->run), &records);
        if (r < 0)
                return r;
        if (failure) {
                (void) reply_failure(c->link, failure, records); /* returns the errno of the error */
                return 0;
        }

        if (denied) {
                (void) reply_obstacle(c->link, plan, denied);
                return 0;
        }

        if (c->parameters && c->service->context.settings->loaded_parameters == LOADED_PARAMETERS_FAIL) {
                r = load_parameters_check_taken(c->link, c->run, c->request, c->parameters);
                if (r != 0)
                        return MIN(r, 0);
        }

        r = plan_omissions_to_json(plan, &omissions);
        if (r < 0)
                return r;
        return sd_varlink_replybo(c->link,
                                  SD_JSON_BUILD_PAIR_VARIANT("records", records),
                                  SD_JSON_BUILD_PAIR_VARIANT("omissions", omissions));
}

static void on_load_done(PlanRun *run, void *userdata) {
        LoadCall *c = userdata;
        int r;

        r = c->link ? load_call_reply(c) : 0;
        if (r < 0) {
                log_warning("cannot answer a client: %s", strerror(-r));
                (void) sd_varlink_error_errno(c->link, r);
        }
        load_call_free(c);
}

typedef struct LoadParameters {
        const char *name;               /* borrowed */
        char **parameters;
        bool force_vermagic, force_modversion, ignore_install, blacklist_names, any_parameters;
        char *command_of;               /* normalised; NULL: none */
} LoadParameters;

static void load_parameters_clear(LoadParameters *p) {
        free_parameters(p->parameters);
        free(p->command_of);
}

/* @link: NULL: a oneway call. @p: what is kept of it is taken on success */
static int start_load(Service *s, sd_varlink *link, bool more, Plan *plan, Request *request,
                      LoadParameters *p) {
        _cleanup_(plan_freep) Plan *taken = plan;
        LoadCall *c;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        r = plan_run_new(&c->run, s->context.scheduler, s->context.planner, taken, request, on_load_done, c);
        if (r < 0) {
                free(c);
                return r;
        }
        STEAL_PTR(taken);
        c->service = s;
        c->request = request_ref(request);
        c->link = sd_varlink_ref(link);
        c->more = more;
        if (!p->any_parameters)
                c->parameters = STEAL_PTR(p->parameters);
        c->command_of = STEAL_PTR(p->command_of);
        LIST_INSERT_HEAD(&s->loads, c, next);

        r = plan_run_start(c->run);     /* may reply and free the call */
        if (r < 0)
                load_call_free(c);
        return r;
}

/* Return: 0; otherwise what a method handler returns. @ret: to be cleared in any case */
static int read_call(sd_varlink *link, sd_json_variant *parameters, LoadParameters *ret) {
        static const sd_json_dispatch_field table[] = {
                { "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(LoadParameters, name), SD_JSON_MANDATORY },
                { "parameters", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
                  offsetof(LoadParameters, parameters), SD_JSON_NULLABLE },
                { "forceVermagic", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(LoadParameters, force_vermagic), SD_JSON_NULLABLE },
                { "forceModversion", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(LoadParameters, force_modversion), SD_JSON_NULLABLE },
                { "ignoreInstall", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(LoadParameters, ignore_install), SD_JSON_NULLABLE },
                { "blacklistNames", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(LoadParameters, blacklist_names), SD_JSON_NULLABLE },
                { "anyParameters", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(LoadParameters, any_parameters), SD_JSON_NULLABLE },
                { "commandOf", SD_JSON_VARIANT_STRING, sd_json_dispatch_string,
                  offsetof(LoadParameters, command_of), SD_JSON_NULLABLE },
                {}
        };
        int r;

        r = sd_varlink_dispatch(link, parameters, table, ret);
        if (r != 0)
                return r;
        if (ret->name[0] == '\0' || strlen(ret->name) > REQUEST_KEY_MAX)
                return sd_varlink_error_invalid_parameter_name(link, "name");
        if (ret->command_of && !module_name_normalize_in_place(ret->command_of))
                return sd_varlink_error_invalid_parameter_name(link, "commandOf");
        return 0;
}

int vl_method_load(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata) {
        _cleanup_(load_parameters_clear) LoadParameters p = {};
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_(freep) char *joined = NULL;
        const PlanOmission *omission;
        Service *s = userdata;
        Counters *c = s->context.counters;
        const Problem *unread;
        uint64_t begun_usec;
        const Index *index;
        int r;

        r = service_admit(s, link, "Load", flags);
        if (r != 0)
                return r;
        r = read_call(link, parameters, &p);
        if (r != 0)
                return r;
        r = module_parameters_join(p.parameters, &joined);
        if (r == -EINVAL || r == -E2BIG)
                return sd_varlink_error_invalid_parameter_name(link, "parameters");
        if (r < 0)
                return r;

        c->requests++;
        c->lookups++;
        r = request_of_client(s, link, p.name, &request);
        if (r < 0)
                return r;
        request->force = (p.force_vermagic ? REQUEST_FORCE_VERMAGIC : 0) |
                         (p.force_modversion ? REQUEST_FORCE_MODVERSIONS : 0);
        request->ignore_install = p.ignore_install;
        r = service_prepare_proof(s, link, request, joined || request->force);
        if (r != 0)
                return r < 0 ? r : 0;
        index = index_keeper_get(s->context.index); /* may rebuild it */
        unread = index_keeper_get_unread(s->context.index);
        if (unread)
                return reply_unread(link, unread, charge_get_obstacle(s->context.charge), p.name);
        begun_usec = clock_usec(CLOCK_MONOTONIC);
        r = planner_plan(s->context.planner, index, request, p.blacklist_names ? PLAN_AUTOLOAD : PLAN_NAMED,
                         joined, &plan);
        if (r < 0)
                return r;
        if (plan->n_matches == 0)
                return reply_no_such_module(link, index, p.name);
        counters_add_time(c, PHASE_PLAN, clock_usec(CLOCK_MONOTONIC) - begun_usec);
        omission = plan_find_obstacle(plan);
        if (omission)
                return reply_obstacle(link, plan, omission);
        if (p.command_of && waits_for_command(s, plan, p.command_of, 0)) {
                (void) service_reply_circle(link, p.command_of); /* returns the errno of the error */
                return 0;
        }
        r = load_parameters_check_rights(link, plan, request);
        if (r == 0 && !p.any_parameters)
                r = load_parameters_check(s, link, plan, p.parameters);
        if (r != 0)
                return r < 0 ? r : 0;

        return start_load(s, flags & SD_VARLINK_METHOD_ONEWAY ? NULL : link, flags & SD_VARLINK_METHOD_MORE,
                          STEAL_PTR(plan), request, &p);
}
