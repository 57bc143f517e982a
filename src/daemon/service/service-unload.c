/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Unload: from the parameters of the call to the modules to remove, one removal after the other, and the reply.
 */

#include <assert.h>

#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/string-list.h"
#include "common/index/index-lookup.h"
#include "common/interface/interface.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"
#include "daemon/engine/unload-run.h"
#include "daemon/history/record-json.h"
#include "daemon/service/service-caller.h"
#include "daemon/service/service-internal.h"
#include "daemon/service/service-reply.h"

struct UnloadCall {
        Service *service;
        sd_varlink *link;               /* NULL: the client is gone */
        bool more;
        Request *request;
        char **modules;                 /* loaded modules that the name means; NULL-terminated */
        size_t n_done;
        UnloadRun *run;                 /* of modules[n_done] */
        RecordList records;             /* of the runs before */
        LIST_ENTRY(UnloadCall) next;
};

static void unload_call_free(UnloadCall *c) {
        LIST_REMOVE(c, next);
        unload_run_free(c->run);
        record_list_clear(&c->records);
        request_drop_client(c->request);
        request_unref(c->request);
        string_list_free(c->modules);
        sd_varlink_unref(c->link);
        free(c);
}

/* The client is gone: what it asked for goes on without a reply. */
void service_forget_unloads(Service *s, sd_varlink *link) {
        UnloadCall *c;

        LIST_FOREACH(c, &s->unloads, next)
                if (c->link == link) {
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

static int reply_in_use(sd_varlink *link, const char *module, char **holders, unsigned ref_count) {
        _cleanup_(freep) char *message = NULL, *hint = NULL;
        int n;

        if (holders[0]) {
                n = asprintf(&message, "%s is in use by %s%s", module, holders[0],
                             holders[1] ? " and others" : "");
                if (n >= 0)
                        n = asprintf(&hint, "lkmctl unload %s first", holders[0]);
        } else {
                n = asprintf(&message, "%s is in use (%u references)", module, ref_count);
                if (n >= 0)
                        n = asprintf(
                                &hint,
                                "close what uses it: open files, mounts, network interfaces that are up; "
                                "lkmctl status %s shows what is known",
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

static bool has_softdep_posts(const Index *index, const char *module) {
        _cleanup_(freep) IndexSoftdep *softdeps = NULL;
        size_t n = 0;

        if (index_softdeps(index, module, &softdeps, &n) < 0)
                return false;
        for (size_t i = 0; i < n; i++)
                if (softdeps[i].post)
                        return true;
        return false;
}

/*
 * Refuses what cannot succeed. Return: 0: go on; 1: refused, and the error was sent; negative errno.
 */
static int check_module(Service *s, sd_varlink *link, const char *module) {
        _cleanup_(string_list_freep) char **holders = NULL;
        const IndexModule *known;
        const char *file_module;
        const ModprobeConfig *config;
        unsigned ref_count = 0;
        const Index *index;
        int r;

        index = index_keeper_get(s->context.index);
        config = index_get_config(index);
        known = planner_find_module(s->context.planner, index, module);
        file_module = known ? known->name : module;
        if (modprobe_config_find_command(config, CONFIG_REMOVE, module) ||
            modprobe_config_find_command(config, CONFIG_REMOVE, file_module) ||
            has_softdep_posts(index, file_module))
                return 0;               /* what uses it now may be removed before it */
        if (scheduler_has_job(s->context.scheduler, module))
                return 0;               /* its own init uses it, and the removal comes after that load */

        r = module_holders(module, &holders);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (module_ref_count(module, &ref_count) < 0)
                ref_count = 0;
        if (!holders[0] && ref_count == 0)
                return 0;

        r = reply_in_use(link, module, holders, ref_count);
        return r < 0 ? r : 1;
}

/* --------------------------------------------------------------------------------------------- outcome */

static int reply_unloaded(const UnloadCall *c) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *records = NULL;
        int r;

        if (!c->link)
                return 0;
        r = describe_records(&c->records, &records);
        if (r < 0)
                return r;
        return sd_varlink_replybo(c->link, SD_JSON_BUILD_PAIR_VARIANT("records", records));
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

static int start_next(UnloadCall *c);

/* Return: 1 when the call was answered; 0 to go on with the next module; negative errno. */
static int take_outcome(UnloadCall *c, UnloadRun *run) {
        const RecordList *records = unload_run_get_records(run);
        const Record *failure = unload_run_get_failure(run);
        int r = unload_run_get_error(run);

        if (r < 0)
                return r;
        if (failure) {
                if (c->link)
                        (void) reply_unload_failed(c->link, failure); /* returns the errno of the error */
                return 1;
        }
        for (size_t i = 0; i < records->n_items; i++) {
                r = record_list_add(&c->records, records->items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void on_unload_done(UnloadRun *run, void *userdata) {
        UnloadCall *c = userdata;
        int r;

        r = take_outcome(c, run);
        c->run = unload_run_free(c->run);
        if (r == 0) {
                c->n_done++;
                r = c->modules[c->n_done] ? start_next(c) : reply_unloaded(c);
                if (r >= 0 && c->modules[c->n_done])
                        return;
        }
        if (r < 0 && c->link)
                (void) sd_varlink_error_errno(c->link, r);
        unload_call_free(c);
}

/* Return: 0: it runs; negative errno. */
static int start_next(UnloadCall *c) {
        const ServiceContext *context = &c->service->context;
        int r;

        r = unload_run_new(&c->run, context->scheduler, context->ledger, context->planner,
                           index_keeper_get(context->index), c->modules[c->n_done], c->request,
                           on_unload_done, c);
        if (r < 0)
                return r;
        return unload_run_start(c->run);
}

/* @link: NULL: a oneway call */
static int start_unload(Service *s, sd_varlink *link, bool more, char **modules, Request *request) {
        UnloadCall *c;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c) {
                string_list_free(modules);
                return -ENOMEM;
        }
        *c = (UnloadCall) {
                .service = s,
                .link = sd_varlink_ref(link),
                .more = more,
                .request = request_ref(request),
                .modules = modules,
        };
        LIST_INSERT_HEAD(&s->unloads, c, next);

        r = start_next(c);
        if (r < 0)
                unload_call_free(c);
        return r;
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
 * The loaded module of that name, whether the index has it or not; otherwise the loaded modules that the alias means.
 * Return: 0 with @ret; 1: there are none, and the error was sent; negative errno.
 */
static int find_modules(Service *s, sd_varlink *link, const char *name, char ***ret) {
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
        bool force;
} UnloadParameters;

int vl_method_unload(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(UnloadParameters, name), SD_JSON_MANDATORY },
                { "force", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
                  offsetof(UnloadParameters, force), SD_JSON_NULLABLE },
                {}
        };
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(string_list_freep) char **modules = NULL;
        UnloadParameters p = {};
        Service *s = userdata;
        int r;

        r = service_admit(s, link, "Unload", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &p);
        if (r != 0)
                return r;
        if (p.name[0] == '\0' || strlen(p.name) > REQUEST_KEY_MAX)
                return sd_varlink_error_invalid_parameter_name(link, "name");

        s->context.counters->requests++;
        r = request_of_client(s, link, p.name, &request);
        if (r < 0)
                return r;
        request->force = p.force ? REQUEST_FORCE_REMOVAL : 0;
        r = service_prepare_proof(s, link, request, request->force);
        if (r != 0)
                return r < 0 ? r : 0;
        r = find_modules(s, link, p.name, &modules);
        if (r != 0)
                return r < 0 ? r : 0;
        for (size_t i = 0; modules[i]; i++) {
                r = check_module(s, link, modules[i]);
                if (r != 0)
                        return r < 0 ? r : 0;
        }

        return start_unload(s, flags & SD_VARLINK_METHOD_ONEWAY ? NULL : link, flags & SD_VARLINK_METHOD_MORE,
                            STEAL_PTR(modules), request);
}
