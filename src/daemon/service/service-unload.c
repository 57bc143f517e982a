/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Unload: from the parameters of the call to the plan, what speaks against it, one removal after the other, and the
 * reply. A call that waits until its modules are not in use makes a new plan every now and then: the kernel does not
 * tell when a reference is given back.
 */

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/string-list.h"
#include "common/base/text.h"
#include "common/index/index-lookup.h"
#include "common/interface/interface.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"
#include "daemon/engine/unload-run.h"
#include "daemon/history/record-json.h"
#include "daemon/planning/needed-modules.h"
#include "daemon/service/service-caller.h"
#include "daemon/service/service-internal.h"
#include "daemon/service/service-reply.h"
#include "daemon/service/unload-json.h"

struct UnloadCall {
        Service *service;
        sd_varlink *link;               /* NULL: the client is gone */
        bool more;
        bool sweep;                     /* of Sweep, which names no modules */
        bool plan_only, holders, ignore_needs, alone, ignore_commands;
        const char *command_of;         /* borrowed, until the first plan is made; NULL: not from a command */
        Request *request;
        char **modules;                 /* loaded modules that the name means; NULL-terminated */
        char **keep_interfaces;
        uint64_t until_usec;            /* CLOCK_MONOTONIC: it waits until then; 0: it does not */
        sd_event_source *timer;         /* while it waits */
        UnloadRun *run;
        LIST_ENTRY(UnloadCall) next;
};

static void unload_call_free(UnloadCall *c) {
        LIST_REMOVE(c, next);
        sd_event_source_disable_unref(c->timer);
        unload_run_free(c->run);
        request_drop_client(c->request);
        request_unref(c->request);
        string_list_free(c->modules);
        string_list_free(c->keep_interfaces);
        sd_varlink_unref(c->link);
        free(c);
}

/* The client is gone: what it asked for goes on without a reply, unless it has not begun. */
void service_forget_unloads(Service *s, sd_varlink *link) {
        UnloadCall *c, *next;

        for (c = LIST_FIRST(&s->unloads); c; c = next) {
                next = LIST_NEXT(c, next);
                if (c->link != link)
                        continue;
                if (!c->run) {
                        unload_call_free(c);
                        continue;
                }
                c->link = sd_varlink_unref(c->link);
                request_drop_client(c->request);
        }
}

void service_drop_unloads(Service *s) {
        while (!LIST_EMPTY(&s->unloads))
                unload_call_free(LIST_FIRST(&s->unloads));
}

void service_report_unloads(Service *s, const char *kind, const Record *record) {
        UnloadCall *c;

        LIST_FOREACH(c, &s->unloads, next)
                if (c->link && c->more && record->request == c->request)
                        (void) send_progress(c->link, kind, record);
}

/* -------------------------------------------------------------------------------------------- refusals */

static int reply_in_use(sd_varlink *link, const UnloadStep *step) {
        _cleanup_(string_list_freep) char **none = NULL;
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        const char *module = step->module;
        unsigned ref_count = (unsigned) step->refs_left;
        char **holders = step->holders_left;
        int n;

        if (!holders) {
                n = string_list_new(&none);
                if (n < 0)
                        return n;
                holders = none;
        }
        if (holders[0]) {
                n = asprintf(&message, "%s is in use by %s%s", module, holders[0],
                             holders[1] ? " and others" : "");
                if (n >= 0)
                        n = asprintf(&hint, "lkmctl unload %s first, or with --holders all that use it",
                                     holders[0]);
        } else {
                n = asprintf(&message, "%s is in use (%u references)", module, ref_count);
                if (n >= 0)
                        n = asprintf(
                                &hint,
                                "close what uses it: open files, mounts, network interfaces that are up; "
                                "lkmctl status %s shows what is known, and --wait=TIME waits",
                                module);
        }
        if (n < 0)
                return -ENOMEM;

        return sd_varlink_errorbo(link, LKMD_ERROR_IN_USE,
                                  SD_JSON_BUILD_PAIR_STRING("message", message),
                                  SD_JSON_BUILD_PAIR_STRING("hint", hint),
                                  SD_JSON_BUILD_PAIR_STRING("module", module),
                                  SD_JSON_BUILD_PAIR_STRV("holders", holders),
                                  SD_JSON_BUILD_PAIR_UNSIGNED("refCount", ref_count));
}

/*
 * Refuses to take away what this machine needs.
 * Return: 0: go on; 1: refused, and the error was sent; negative errno.
 */
static int check_needs(const UnloadCall *c, const UnloadPlan *plan, const NeedList *needs) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *described = NULL;
        _cleanup_(freep) char *text = NULL, *message = NULL, *clean = NULL;
        const Need *need = NULL;
        int r;

        for (size_t i = 0; i < plan->n_steps && !need; i++)
                need = needs_find_module(needs, plan->steps[i].module);
        if (!need)
                return 0;
        r = need_describe(need, &text);
        if (r < 0)
                return r;
        if (asprintf(&message, "%s is needed: %s", need->module, text) < 0) {
                message = NULL;
                return -ENOMEM;
        }
        r = text_escape(message, &clean);
        if (r >= 0)
                r = describe_needs(needs, plan, &described);
        if (r < 0)
                return r;
        if (c->link)
                (void) sd_varlink_errorbo(
                        c->link, LKMD_ERROR_NEEDED, SD_JSON_BUILD_PAIR_STRING("message", clean),
                        SD_JSON_BUILD_PAIR_STRING(
                                "hint",
                                "lkmctl unload --plan shows all that would go; --force removes it nevertheless"),
                        SD_JSON_BUILD_PAIR_STRING("module", need->module),
                        SD_JSON_BUILD_PAIR_VARIANT("needs", described)); /* returns the errno of the error */
        return 1;
}

/* --------------------------------------------------------------------------------------------- outcome */

/* Memory of the modules that were removed. */
static uint64_t freed_bytes(const UnloadPlan *plan, const RecordList *records) {
        uint64_t bytes = 0;

        for (size_t i = 0; i < records->n_items; i++) {
                const UnloadStep *step = unload_plan_find_step(plan, records->items[i]->module);

                if (step && records->items[i]->outcome == OUTCOME_UNLOADED)
                        bytes += step->size_bytes;
        }
        return bytes;
}

static int reply_unloaded(const UnloadCall *c, const UnloadRun *run) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *records = NULL, *stays = NULL;
        const UnloadPlan *plan = unload_run_get_plan(run);
        int r;

        if (!c->link)
                return 0;
        r = describe_records(unload_run_get_records(run), &records);
        if (r >= 0)
                r = describe_unload_stays(plan, &stays);
        if (r < 0)
                return r;
        return sd_varlink_replybo(
                c->link, SD_JSON_BUILD_PAIR_VARIANT("records", records),
                SD_JSON_BUILD_PAIR_CONDITION(plan->n_stays > 0, "stays", SD_JSON_BUILD_VARIANT(stays)),
                SD_JSON_BUILD_PAIR_CONDITION(
                        c->sweep, "sizeBytes",
                        SD_JSON_BUILD_UNSIGNED(freed_bytes(plan, unload_run_get_records(run)))));
}

static int reply_plan(const UnloadCall *c, const UnloadPlan *plan, const NeedList *needs) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *steps = NULL, *stays = NULL, *needed = NULL;
        int r;

        r = describe_unload_steps(plan, &steps);
        if (r >= 0)
                r = describe_unload_stays(plan, &stays);
        if (r >= 0)
                r = describe_needs(needs, plan, &needed);
        if (r < 0)
                return r;
        return sd_varlink_replybo(
                c->link, SD_JSON_BUILD_PAIR_VARIANT("steps", steps), SD_JSON_BUILD_PAIR_VARIANT("stays", stays),
                SD_JSON_BUILD_PAIR_CONDITION(!c->sweep, "needed", SD_JSON_BUILD_VARIANT(needed)),
                SD_JSON_BUILD_PAIR_CONDITION(c->sweep, "sizeBytes",
                                             SD_JSON_BUILD_UNSIGNED(unload_plan_bytes(plan))));
}

static int reply_unload_failed(sd_varlink *link, const Record *failure) {
        return sd_varlink_errorbo(
                link, LKMD_ERROR_UNLOAD_FAILED,
                SD_JSON_BUILD_PAIR_STRING("message", failure->message ?: strerror(-failure->error)),
                SD_JSON_BUILD_PAIR_CONDITION(failure->hint != NULL, "hint",
                                             SD_JSON_BUILD_STRING(failure->hint)),
                SD_JSON_BUILD_PAIR_STRING("module", failure->module),
                SD_JSON_BUILD_PAIR_INTEGER("errno", -failure->error),
                SD_JSON_BUILD_PAIR_CONDITION(failure->not_proven, "notProven", SD_JSON_BUILD_BOOLEAN(true)));
}

static void on_unload_done(UnloadRun *run, void *userdata) {
        const Record *failure = unload_run_get_failure(run);
        int r = unload_run_get_error(run);
        UnloadCall *c = userdata;

        if (r >= 0 && failure && c->link)
                (void) reply_unload_failed(c->link, failure); /* returns the errno of the error */
        else if (r >= 0 && !failure)
                r = reply_unloaded(c, run);
        if (r < 0 && c->link)
                (void) sd_varlink_error_errno(c->link, r);
        unload_call_free(c);
}

/* ---------------------------------------------------------------------------------------------- the call */

/* @plan: taken */
static int start_run(UnloadCall *c, UnloadPlan *plan) {
        const ServiceContext *context = &c->service->context;
        int r;

        r = unload_run_new(&c->run, plan,
                           &(UnloadRunOptions) {
                                   .scheduler = context->scheduler,
                                   .ledger = context->ledger,
                                   .planner = context->planner,
                                   .request = c->request,
                                   .done = on_unload_done,
                                   .userdata = c,
                           });
        if (r < 0) {
                unload_plan_free(plan);
                return r;
        }
        return unload_run_start(c->run);
}

static int make_plan(const UnloadCall *c, UnloadPlan **ret) {
        const ServiceContext *context = &c->service->context;
        LoadedModule *loaded = NULL;
        size_t n = 0;
        int r;

        if (c->sweep)
                return idle_unload_plan(context->idle_unload, /* at_once= */ true, ret);
        r = loaded_modules_read(&loaded, &n);
        if (r < 0)
                return r;
        r = unload_plan_new(ret,
                            &(UnloadSources) {
                                    .ledger = context->ledger,
                                    .planner = context->planner,
                                    .index = index_keeper_get(context->index),
                                    .loaded = loaded,
                                    .n_loaded = n,
                                    .alone = c->alone,
                                    .ignore_commands = c->ignore_commands,
                            },
                            c->modules, UNLOAD_REQUESTED, c->holders);
        loaded_modules_free(loaded, n);
        return r;
}

/* Would it have to wait for the remove command that makes the call? */
static bool has_command_of(const UnloadPlan *plan, const char *module) {
        char name[MODULE_NAME_MAX + 1];

        if (module_name_normalize(module, name, sizeof(name)) < 0)
                return false;
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].command && streq(plan->steps[i].command, name))
                        return true;
        return false;
}

static int wait_more(UnloadCall *c);

/*
 * Makes the plan, and carries it out unless something speaks against it.
 * Return: 0: it goes on; 1: the call was answered; negative errno.
 */
static int attempt(UnloadCall *c) {
        _cleanup_(unload_plan_freep) UnloadPlan *plan = NULL;
        _cleanup_(needs_clear) NeedList needs = {};
        const ServiceContext *context = &c->service->context;
        const UnloadStep *busy;
        int r;

        r = make_plan(c, &plan);
        if (r >= 0 && c->command_of && has_command_of(plan, c->command_of)) {
                if (c->link)
                        (void) service_reply_circle(c->link,
                                                    c->command_of); /* returns the errno of the error */
                return 1;
        }
        c->command_of = NULL;
        if (r >= 0 && !c->sweep)
                r = needs_find(&needs, &(NeedQuestion) {
                                               .interfaces = c->keep_interfaces,
                                               .index = index_keeper_get(context->index),
                                       });
        if (r < 0)
                return r;
        busy = unload_plan_find_busy(plan);
        if (busy && scheduler_has_job(context->scheduler, busy->module))
                busy = NULL;            /* its own init uses it, and the removal comes after that load */

        if (c->plan_only && !busy) {
                r = reply_plan(c, plan, &needs);
                return r < 0 ? r : 1;
        }
        r = c->ignore_needs || c->plan_only ? 0 : check_needs(c, plan, &needs);
        if (r != 0)
                return r;
        if (busy && !c->plan_only && clock_usec(CLOCK_MONOTONIC) < c->until_usec)
                return wait_more(c);
        if (busy) {
                if (c->link)
                        (void) reply_in_use(c->link, busy); /* returns the errno of the error */
                return 1;
        }
        return start_run(c, STEAL_PTR(plan));
}

static int on_wait_over(sd_event_source *source, uint64_t usec, void *userdata) {
        UnloadCall *c = userdata;
        int r;

        r = attempt(c);
        if (r == 0)
                return 0;
        if (r < 0 && c->link)
                (void) sd_varlink_error_errno(c->link, r);
        unload_call_free(c);
        return 0;
}

/* Return: 0 or a negative errno. */
static int wait_more(UnloadCall *c) {
        uint64_t usec = MIN(clock_usec(CLOCK_MONOTONIC) + UNLOAD_LOOK_USEC, c->until_usec);
        int r;

        if (!c->timer)
                return sd_event_add_time(c->service->context.event, &c->timer, CLOCK_MONOTONIC, usec,
                                         UNLOAD_LOOK_USEC / 4, on_wait_over, c);
        r = sd_event_source_set_time(c->timer, usec);
        return r < 0 ? r : sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT);
}

/* @call: what it is like; takes the lists in it in any case */
static int begin_call(const UnloadCall *call) {
        UnloadCall *c;
        int r;

        c = malloc(sizeof(*c));
        if (!c) {
                string_list_free(call->modules);
                string_list_free(call->keep_interfaces);
                return -ENOMEM;
        }
        *c = *call;
        sd_varlink_ref(c->link);
        request_ref(c->request);
        LIST_INSERT_HEAD(&c->service->unloads, c, next);

        r = attempt(c);
        if (r != 0)
                unload_call_free(c);
        return r < 0 ? r : 0;
}

/* ------------------------------------------------------------------------------------- what it means */

static int add_module(char ***modules, const char *name) {
        return string_list_contains(*modules, name) ? 0 : string_list_append(modules, name, strlen(name));
}

static int reply_not_loaded(sd_varlink *link, const char *name, bool builtin) {
        if (builtin)
                return reply_message(
                        link, LKMD_ERROR_BUILT_IN,
                        "only another kernel, or initcall_blacklist= on its command line, is without it",
                        "%s is built into this kernel and cannot be removed", name);
        return reply_message(link, LKMD_ERROR_NOT_LOADED, "lkmctl list shows what is loaded",
                             "%s is not loaded", name);
}

/*
 * The loaded module of that name, whether the index has it or not; otherwise the loaded modules that the alias means,
 * unless it is to be a @name.
 * Return: 0 with @ret; 1: there are none, and the error was sent; negative errno.
 */
static int find_modules(Service *s, sd_varlink *link, const char *name, bool by_name, char ***ret) {
        _cleanup_(string_list_freep) char **modules = NULL;
        char normalized[MODULE_NAME_MAX + 1];
        bool builtin = false;
        _cleanup_(index_answer_clear) IndexAnswer answer = {};
        const Index *index;
        int r;

        if (module_name_normalize(name, normalized, sizeof(normalized)) >= 0 &&
            module_state_read(normalized) != MODULE_ABSENT) {
                r = add_module(&modules, normalized);
                if (r < 0)
                        return r;
                *ret = STEAL_PTR(modules);
                return 0;
        }

        if (by_name) {
                r = reply_not_loaded(link, name, /* builtin= */ false);
                return r < 0 ? r : 1;
        }

        s->context.counters->lookups++;
        index = index_keeper_get(s->context.index);
        r = index_lookup(index, name, &answer);
        if (r < 0)
                return r;
        for (size_t i = 0; i < answer.n_matches; i++) {
                const IndexMatch *m = &answer.matches[i];
                const char *kernel_name = planner_kernel_name(s->context.planner, index, m->name,
                                                              FACTS_READ);

                builtin = builtin || (m->module && !m->module->path);
                if (module_state_read(kernel_name) == MODULE_ABSENT)
                        continue;
                r = add_module(&modules, kernel_name);
                if (r < 0)
                        return r;
        }
        if (modules) {
                *ret = STEAL_PTR(modules);
                return 0;
        }

        r = answer.n_matches == 0 ? reply_no_such_module(link, index, name)
                           : reply_not_loaded(link, name, builtin);
        return r < 0 ? r : 1;
}

typedef struct UnloadParameters {
        const char *name;               /* borrowed */
        const char *command_of;         /* borrowed; NULL: not from a command */
        bool force, plan, holders, ignore_needs, alone, ignore_commands;
        char **keep_interfaces;
        uint64_t wait_usec;
} UnloadParameters;

static void unload_parameters_clear(UnloadParameters *p) {
        string_list_free(p->keep_interfaces);
}

/* Return: 0: they make sense; otherwise what a method handler returns. */
static int check_parameters(sd_varlink *link, const UnloadParameters *p, sd_varlink_method_flags_t flags) {
        if (p->name[0] == '\0' || strlen(p->name) > REQUEST_KEY_MAX)
                return sd_varlink_error_invalid_parameter_name(link, "name");
        if (string_list_count(p->keep_interfaces) > KEEP_INTERFACES_MAX)
                return sd_varlink_error_invalid_parameter_name(link, "keepInterfaces");
        for (char **i = p->keep_interfaces; i && *i; i++)
                if (!interface_name_is_sound(*i))
                        return sd_varlink_error_invalid_parameter_name(link, "keepInterfaces");
        if (p->plan && flags & SD_VARLINK_METHOD_ONEWAY)
                return sd_varlink_error_invalid_parameter_name(link, "plan");
        return 0;
}

/* CLOCK_MONOTONIC; 0: at once */
static uint64_t wait_until(uint64_t usec) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);

        return usec == 0 ? 0 : usec > UINT64_MAX - now ? UINT64_MAX : now + usec;
}

int vl_method_unload(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(UnloadParameters, name), SD_JSON_MANDATORY },
                { "force", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(UnloadParameters, force), SD_JSON_NULLABLE },
                { "plan", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(UnloadParameters, plan), SD_JSON_NULLABLE },
                { "holders", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(UnloadParameters, holders), SD_JSON_NULLABLE },
                { "ignoreNeeds", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(UnloadParameters, ignore_needs), SD_JSON_NULLABLE },
                { "keepInterfaces", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
                  offsetof(UnloadParameters, keep_interfaces), SD_JSON_NULLABLE },
                { "waitUSec", SD_JSON_VARIANT_UNSIGNED, sd_json_dispatch_uint64,
                  offsetof(UnloadParameters, wait_usec), SD_JSON_NULLABLE },
                { "alone", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(UnloadParameters, alone), SD_JSON_NULLABLE },
                { "ignoreRemove", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(UnloadParameters, ignore_commands), SD_JSON_NULLABLE },
                { "commandOf", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(UnloadParameters, command_of), SD_JSON_NULLABLE },
                {}
        };
        _cleanup_(unload_parameters_clear) UnloadParameters p = {};
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(string_list_freep) char **modules = NULL;
        Service *s = userdata;
        int r;

        r = service_admit(s, link, "Unload", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &p);
        if (r != 0)
                return r;
        r = check_parameters(link, &p, flags);
        if (r != 0)
                return r;

        s->context.counters->requests++;
        r = request_of_client(s, link, p.name, &request);
        if (r < 0)
                return r;
        request->force = p.force ? REQUEST_FORCE_REMOVAL : 0;
        r = service_prepare_proof(s, link, request, request->force);
        if (r != 0)
                return r < 0 ? r : 0;
        r = find_modules(s, link, p.name, p.alone, &modules);
        if (r != 0)
                return r < 0 ? r : 0;

        return begin_call(&(UnloadCall) {
                .service = s,
                .link = flags & SD_VARLINK_METHOD_ONEWAY ? NULL : link,
                .more = flags & SD_VARLINK_METHOD_MORE,
                .plan_only = p.plan,
                .holders = p.holders,
                .ignore_needs = p.ignore_needs,
                .alone = p.alone,
                .ignore_commands = p.ignore_commands,
                .command_of = p.command_of,
                .request = request,
                .modules = STEAL_PTR(modules),
                .keep_interfaces = STEAL_PTR(p.keep_interfaces),
                .until_usec = p.wait_usec == 0 ? 0 : wait_until(p.wait_usec),
        });
}

int vl_method_sweep(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                    void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "plan", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, 0, SD_JSON_NULLABLE }, {}
        };
        _cleanup_(request_unrefp) Request *request = NULL;
        Service *s = userdata;
        bool plan = false;
        int r;

        r = service_admit(s, link, "Sweep", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &plan);
        if (r != 0)
                return r;
        if (plan && flags & SD_VARLINK_METHOD_ONEWAY)
                return sd_varlink_error_invalid_parameter_name(link, "plan");

        s->context.counters->requests++;
        r = request_of_client(s, link, "sweep", &request);
        if (r < 0)
                return r;
        return begin_call(&(UnloadCall) {
                .service = s,
                .link = flags & SD_VARLINK_METHOD_ONEWAY ? NULL : link,
                .sweep = true,
                .plan_only = plan,
                .request = request,
        });
}
