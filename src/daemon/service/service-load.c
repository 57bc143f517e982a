/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Load: from the parameters of the call to a plan, and from the outcome of the plan to the reply. */

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/interface/interface.h"
#include "common/plan/plan-json.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"
#include "daemon/engine/plan-run.h"
#include "daemon/history/record-json.h"
#include "daemon/service/service-caller.h"
#include "daemon/service/service-internal.h"
#include "daemon/service/service-reply.h"

struct LoadCall {
        Service *service;
        sd_varlink *link;               /* NULL: the client is gone */
        bool more;
        PlanRun *run;
        Request *request;               /* referenced */
        LIST_ENTRY(LoadCall) next;
};

static void load_call_free(LoadCall *c) {
        LIST_REMOVE(c, next);
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

static bool plan_has_module(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (streq(plan->steps[i].module, module))
                        return true;
        return false;
}

void service_report_loads(Service *s, const char *kind, const Record *record) {
        LoadCall *c;

        LIST_FOREACH(c, &s->loads, next)
                if (c->link && c->more && !record->removal &&
                    plan_has_module(plan_run_get_plan(c->run), record->module))
                        (void) send_progress(c->link, kind, record);
}

/* --------------------------------------------------------------------------------------------- denials */

static const PlanOmission *find_required_omission(const Plan *plan) {
        const PlanOmission *impossible = NULL;

        for (size_t i = 0; i < plan->n_omissions; i++) {
                const PlanOmission *o = plan->omissions + i;

                if (o->required && o->kind != PLAN_IMPOSSIBLE)
                        return o;       /* the bottom of the chain, which says most */
                if (o->required && !impossible)
                        impossible = o;
        }
        return impossible;
}

/* The strings of an omission, escaped for messages and JSON: names come from files and may be arbitrary bytes. */
typedef struct OmissionText {
        char *module, *wanted_by, *file; /* the last two may be NULL */
        char *place;                    /* FILE:LINE, or words for it */
        char *rule, *reason;            /* may be NULL */
} OmissionText;

static void omission_text_clear(OmissionText *t) {
        free(t->module);
        free(t->wanted_by);
        free(t->file);
        free(t->place);
        free(t->rule);
        free(t->reason);
}

static int format_place(const char *file, unsigned line, char **ret) {
        int n;

        if (!file)
                n = asprintf(ret, "the configuration");
        else if (line > 0)
                n = asprintf(ret, "%s:%u", file, line);
        else
                n = asprintf(ret, "%s", file);
        if (n < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

static int omission_text_make(const PlanOmission *o, OmissionText *ret) {
        int r;

        r = text_escape(o->module, &ret->module);
        if (r >= 0 && o->wanted_by)
                r = text_escape(o->wanted_by, &ret->wanted_by);
        if (r >= 0 && o->ruling.file)
                r = text_escape(o->ruling.file, &ret->file);
        if (r >= 0 && o->ruling.rule)
                r = text_escape(o->ruling.rule, &ret->rule);
        if (r >= 0 && o->ruling.reason)
                r = text_escape(o->ruling.reason, &ret->reason);
        if (r >= 0)
                r = format_place(ret->file, o->ruling.line, &ret->place);
        return r;
}

static int reply_denied(sd_varlink *link, const OmissionText *t, const PlanRuling *ruling,
                        const char *message, const char *hint) {
        return sd_varlink_errorbo(
                link, LKMD_ERROR_DENIED, SD_JSON_BUILD_PAIR_STRING("message", message),
                SD_JSON_BUILD_PAIR_STRING("hint", hint), SD_JSON_BUILD_PAIR_STRING("module", t->module),
                SD_JSON_BUILD_PAIR_CONDITION(t->file != NULL, "file", SD_JSON_BUILD_STRING(t->file)),
                SD_JSON_BUILD_PAIR_CONDITION(ruling->line > 0, "line", SD_JSON_BUILD_UNSIGNED(ruling->line)),
                SD_JSON_BUILD_PAIR_CONDITION(ruling->source >= 0, "source",
                                             SD_JSON_BUILD_STRING(policy_source_to_string(ruling->source))),
                SD_JSON_BUILD_PAIR_CONDITION(t->rule != NULL, "rule", SD_JSON_BUILD_STRING(t->rule)),
                SD_JSON_BUILD_PAIR_CONDITION(t->reason != NULL, "reason", SD_JSON_BUILD_STRING(t->reason)));
}

/* The omission of a module that was left out because of a module that it needs; NULL: none. */
static const PlanOmission *find_impossible(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (plan->omissions[i].kind == PLAN_IMPOSSIBLE && streq(plan->omissions[i].module, module))
                        return plan->omissions + i;
        return NULL;
}

/* " (needed by a, which b needs, which c needs)". */
static int format_chain(const Plan *plan, const PlanOmission *o, char **ret) {
        _cleanup_(freep) char *chain = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&chain, &size);
        if (!f)
                return -ENOMEM;
        (void) fputs(" (needed by ", f);
        /* a broken modules.dep may have cycles */
        for (size_t n = 0; o && o->wanted_by && n <= plan->n_omissions; n++) {
                _cleanup_(freep) char *name = NULL;

                if (text_escape(o->wanted_by, &name) >= 0)
                        (void) fprintf(f, n == 0 ? "%s" : ", which %s needs", name);
                o = find_impossible(plan, o->wanted_by);
        }
        (void) fputc(')', f);
        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = STEAL_PTR(chain);
        return 0;
}

/*
 * The request cannot succeed: replies with the module that is missing or denied, and the file and line that deny it.
 */
static int reply_omission(sd_varlink *link, const Plan *plan, const PlanOmission *o) {
        _cleanup_(freep) char *message = NULL, *hint = NULL, *chain = NULL, *key = NULL;
        _cleanup_(omission_text_clear) OmissionText t = {};
        int n = 0, r;

        r = omission_text_make(o, &t);
        if (r < 0)
                return r;
        r = text_escape(plan->key, &key);
        if (r < 0)
                return r;
        r = o->wanted_by ? format_chain(plan, o, &chain) : 0;
        if (r < 0)
                return r;

        switch (o->kind) {
        case PLAN_BLACKLISTED:
                n = asprintf(&message, "%s is denied by %s: blacklisted, and '%s' means nothing else",
                             t.module, t.place, key);
                if (n >= 0)
                        n = asprintf(&hint, "lkmctl load %s loads it by its name all the same", t.module);
                break;
        case PLAN_DENIED:
        case PLAN_IMPOSSIBLE:
                n = asprintf(&message, "%s%s is denied by %s%s%s", t.module, chain ?: "", t.place,
                             t.reason ? ": " : "", t.reason ?: "");
                if (n >= 0)
                        n = asprintf(&hint, "lkmctl explain %s shows every rule about it", t.module);
                break;
        default:
                n = asprintf(&message, "%s%s is not there: %s", t.module, chain ?: "",
                             o->kind == PLAN_FILE_MISSING
                                     ? "the index names a file that does not exist"
                                     : "an alias leads to it, but no such module exists");
                if (n >= 0)
                        n = asprintf(&hint, "reinstall the modules of this kernel, or run depmod -a");
                break;
        }
        if (n < 0)
                return -ENOMEM;

        if (o->kind == PLAN_BLACKLISTED || o->kind == PLAN_DENIED ||
            (o->kind == PLAN_IMPOSSIBLE && o->ruling.source >= 0))
                return reply_denied(link, &t, &o->ruling, message, hint);
        return sd_varlink_errorbo(link, LKMD_ERROR_LOAD_FAILED,
                                  SD_JSON_BUILD_PAIR_STRING("message", message),
                                  SD_JSON_BUILD_PAIR_STRING("hint", hint),
                                  SD_JSON_BUILD_PAIR_STRING("module", t.module),
                                  SD_JSON_BUILD_PAIR_INTEGER("errno", ENOENT));
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
                        link, LKMD_ERROR_LOAD_FAILED,
                        SD_JSON_BUILD_PAIR_STRING("message", message),
                        SD_JSON_BUILD_PAIR_CONDITION(hint != NULL, "hint", SD_JSON_BUILD_STRING(hint)),
                        SD_JSON_BUILD_PAIR_STRING("module", module),
                        SD_JSON_BUILD_PAIR_INTEGER("errno", -failure->error),
                        SD_JSON_BUILD_PAIR_VARIANT("kernelLog", log),
                        SD_JSON_BUILD_PAIR_VARIANT("records", records));
}

static int load_call_reply(const LoadCall *c) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *records = NULL, *omissions = NULL;
        const Record *failure = plan_run_get_failure(c->run);
        const Plan *plan = plan_run_get_plan(c->run);
        const PlanOmission *denied = find_required_omission(plan); /* denied after the call was begun */
        int r;

        r = describe_records(plan_run_get_records(c->run), &records);
        if (r < 0)
                return r;
        if (failure) {
                (void) reply_failure(c->link, failure, records); /* returns the errno of the error */
                return 0;
        }

        if (denied) {
                (void) reply_omission(c->link, plan, denied);
                return 0;
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

/* @link: NULL: a oneway call */
static int start_load(Service *s, sd_varlink *link, bool more, Plan *plan, Request *request) {
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
        LIST_INSERT_HEAD(&s->loads, c, next);

        r = plan_run_start(c->run);     /* may reply and free the call */
        if (r < 0)
                load_call_free(c);
        return r;
}

typedef struct LoadParameters {
        const char *name;               /* borrowed */
        char **parameters;
        bool force_vermagic, force_modversion;
} LoadParameters;

static void load_parameters_clear(LoadParameters *p) {
        for (char **s = p->parameters; s && *s; s++)
                free(*s);
        free(p->parameters);
}

int vl_method_load(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(LoadParameters, name), SD_JSON_MANDATORY },
                { "parameters", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
                  offsetof(LoadParameters, parameters), SD_JSON_NULLABLE },
                { "forceVermagic", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(LoadParameters, force_vermagic), SD_JSON_NULLABLE },
                { "forceModversion", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(LoadParameters, force_modversion), SD_JSON_NULLABLE },
                {}
        };
        _cleanup_(load_parameters_clear) LoadParameters p = {};
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_(freep) char *joined = NULL;
        const PlanOmission *omission;
        Service *s = userdata;
        Counters *c = s->context.counters;
        uint64_t begun_usec;
        const Index *index;
        int r;

        r = service_admit(s, link, "Load", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &p);
        if (r != 0)
                return r;
        if (p.name[0] == '\0' || strlen(p.name) > REQUEST_KEY_MAX)
                return sd_varlink_error_invalid_parameter_name(link, "name");
        r = load_parameters_join(p.parameters, &joined);
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
        r = service_prepare_proof(s, link, request, joined || request->force);
        if (r != 0)
                return r < 0 ? r : 0;
        index = index_keeper_get(s->context.index); /* may rebuild it */
        begun_usec = clock_usec(CLOCK_MONOTONIC);
        r = planner_plan(s->context.planner, index, request, PLAN_NAMED, joined, &plan);
        if (r < 0)
                return r;
        if (plan->n_matches == 0)
                return reply_no_such_module(link, index, p.name);
        counters_add_time(c, PHASE_PLAN, clock_usec(CLOCK_MONOTONIC) - begun_usec);
        omission = find_required_omission(plan);
        if (omission)
                return reply_omission(link, plan, omission);
        r = load_parameters_check_rights(link, plan, request);
        if (r == 0)
                r = load_parameters_check(s, link, plan, p.parameters);
        if (r != 0)
                return r < 0 ? r : 0;

        return start_load(s, flags & SD_VARLINK_METHOD_ONEWAY ? NULL : link, flags & SD_VARLINK_METHOD_MORE,
                          STEAL_PTR(plan), request);
}
