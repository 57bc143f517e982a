/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Status, List and DescribeModule: methods that only read. */

#include <assert.h>

#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/device/udev-rule.h"
#include "common/index/index-lookup.h"
#include "common/interface/interface.h"
#include "common/plan/plan-json.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"
#include "daemon/history/record-json.h"
#include "daemon/service/counters-json.h"
#include "daemon/service/service-caller.h"
#include "daemon/service/service-internal.h"
#include "daemon/service/service-reply.h"

#define FAILURES_SHOWN 8U

/* --------------------------------------------------------------------------------------------- Module */

typedef struct ListedModule {
        const char *name, *state, *path;
        const char *file_module;        /* its name by its file; NULL: no file is known */
        const LoadedModule *loaded;     /* NULL: not in the kernel */
        const Record *loaded_by;        /* NULL: not known */
} ListedModule;

static int describe_module(const ListedModule *m, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *loaded_by = NULL;
        _cleanup_(freep) char *path = NULL;
        const LoadedModule *l = m->loaded;
        int r;

        if (m->loaded_by) {
                r = describe_record(m->loaded_by, &loaded_by);
                if (r < 0)
                        return r;
        }
        r = text_escape(m->path ?: "", &path);
        if (r < 0)
                return r;

        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("name", m->name),
                SD_JSON_BUILD_PAIR_CONDITION(m->file_module && !streq(m->file_module, m->name), "fileModule",
                                             SD_JSON_BUILD_STRING(m->file_module)),
                SD_JSON_BUILD_PAIR_STRING("state", m->state),
                SD_JSON_BUILD_PAIR_CONDITION(m->path != NULL, "path", SD_JSON_BUILD_STRING(path)),
                SD_JSON_BUILD_PAIR_CONDITION(l != NULL, "sizeBytes",
                                             SD_JSON_BUILD_UNSIGNED(l ? l->size_bytes : 0)),
                SD_JSON_BUILD_PAIR_CONDITION(l && l->ref_count >= 0, "refCount",
                                             SD_JSON_BUILD_INTEGER(l ? l->ref_count : 0)),
                SD_JSON_BUILD_PAIR_CONDITION(l != NULL, "holders",
                                             SD_JSON_BUILD_STRV(l ? l->holders : NULL)),
                SD_JSON_BUILD_PAIR_CONDITION(loaded_by != NULL, "loadedBy",
                                             SD_JSON_BUILD_VARIANT(loaded_by)));
}

static const char *state_name(ModuleState state) {
        switch (state) {
        case MODULE_LIVE:
                return "live";
        case MODULE_COMING:
                return "coming";
        case MODULE_GOING:
                return "going";
        default:
                return "not_loaded";
        }
}

static int describe_loaded_module(const ServiceContext *context, const LoadedModule *loaded, sd_json_variant **ret) {
        const Record *loaded_by = ledger_find_load(context->ledger, loaded->name);
        const IndexModule *known = index_find_module(
                index_keeper_get(context->index), loaded_by ? record_file_module(loaded_by) : loaded->name);

        return describe_module(
                &(ListedModule) {
                        .name = loaded->name,
                        .state = state_name(loaded->state),
                        .path = known ? known->path : NULL,
                        .file_module = known ? known->name : NULL,
                        .loaded = loaded,
                        .loaded_by = loaded_by,
                },
                ret);
}

/* ----------------------------------------------------------------------------------------------- List */

typedef struct LoadedModules {
        LoadedModule *items;
        size_t n_items;
} LoadedModules;

static void loaded_modules_clear(LoadedModules *l) {
        loaded_modules_free(l->items, l->n_items);
}

int vl_method_list(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        _cleanup_(loaded_modules_clear) LoadedModules loaded = {};
        Service *s = userdata;
        int r;

        r = service_admit(s, link, "List", flags);
        if (r != 0)
                return r;
        r = dispatch_nothing(link, parameters);
        if (r != 0)
                return r;

        r = loaded_modules_read(&loaded.items, &loaded.n_items);
        if (r < 0)
                return r;
        r = sd_json_variant_new_array(&array, NULL, 0);
        for (size_t i = 0; r >= 0 && i < loaded.n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = describe_loaded_module(&s->context, loaded.items + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
        }
        if (r < 0)
                return r;
        return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("modules", array));
}

/* --------------------------------------------------------------------------------------------- Status */

/* The problems of several lists. @lists: NULL-terminated */
static int describe_all(const ProblemList *const *lists, sd_json_variant **ret) {
        _cleanup_(problem_list_clear) ProblemList all = {};

        for (size_t i = 0; lists[i]; i++) {
                int r = problem_list_copy(&all, lists[i]);

                if (r < 0)
                        return r;
        }
        return describe_problems(&all, ret);
}

static int describe_broken_files(const ServiceContext *context, sd_json_variant **ret) {
        return describe_all(
                (const ProblemList *const[]) { context->setting_problems,
                                               settings_watch_get_problems(context->settings_watch),
                                               index_keeper_get_problems(context->index),
                                               boot_list_get_problems(context->boot_list), NULL },
                ret);
}

static int describe_unwatched(const ServiceContext *context, sd_json_variant **ret) {
        return describe_all((const ProblemList *const[]) { policy_keeper_get_watch_problems(context->policy),
                                                           index_keeper_get_watch_problems(context->index),
                                                           udev_keeper_get_watch_problems(context->udev),
                                                           boot_list_get_watch_problems(context->boot_list),
                                                           NULL },
                            ret);
}

static bool list_has_module(const RecordList *list, const char *module) {
        for (size_t i = 0; i < list->n_items; i++)
                if (streq(list->items[i]->module, module))
                        return true;
        return false;
}

/* Modules whose last record is a failure. */
static int describe_failures(const Ledger *ledger, sd_json_variant **ret) {
        _cleanup_(record_list_clear) RecordList seen = {}, failures = {};

        for (size_t i = 0; i < ledger_count(ledger) && failures.n_items < FAILURES_SHOWN; i++) {
                Record *record = ledger_get(ledger, i);
                int r;

                if (list_has_module(&seen, record->module))
                        continue;
                r = record_list_add(&seen, record);
                if (r >= 0 && record_is_remarkable(record))
                        r = record_list_add(&failures, record);
                if (r < 0)
                        return r;
        }
        return describe_records(&failures, ret);
}

static int describe_running(const Scheduler *scheduler, sd_json_variant **ret) {
        _cleanup_(record_list_clear) RecordList running = {};
        int r;

        r = scheduler_get_running(scheduler, &running);
        if (r < 0)
                return r;
        return describe_records(&running, ret);
}

static size_t count_loaded(void) {
        _cleanup_(loaded_modules_clear) LoadedModules loaded = {};

        return loaded_modules_read(&loaded.items, &loaded.n_items) < 0 ? 0 : loaded.n_items;
}

/* Who loads drivers. The file that udev's rule tests is only missing if lkmd-handover failed. */
static const char *name_authority(const ServiceContext *context) {
        if (!charge_is_taken(context->charge))
                return "udev";
        if (!charge_is_reported(context->charge) &&
            access(UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE, F_OK) >= 0)
                return "lkmd_and_udev";
        return udev_rule_leaves_it_to_lkmd("") ? "lkmd" : "lkmd_and_udev";
}

/* The rules of udev's because of which devices wait for it. */
static int describe_udev_rules(const UdevRules *rules, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && i < rules->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(freep) char *devices = NULL, *shown = NULL, *file = NULL;
                const UdevWord *word = rules->items + i;

                r = udev_word_describe(word, &devices);
                if (r >= 0)
                        r = text_escape(devices, &shown);
                if (r >= 0)
                        r = text_escape(word->file, &file);
                if (r >= 0)
                        r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("devices", shown),
                                           SD_JSON_BUILD_PAIR_STRING("file", file),
                                           SD_JSON_BUILD_PAIR_UNSIGNED("line", word->line),
                                           SD_JSON_BUILD_PAIR_STRING("reason", word->deed));
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

/* What the kernel starts when it needs a module. @ret: escaped; NULL: it never does. Return: 0; -ENOMEM. */
static int read_kernel_program(char **ret) {
        _cleanup_(fclosep) FILE *f = fopen(KERNEL_MODPROBE, "re");
        char line[PATH_MAX] = "";

        *ret = NULL;
        if (!f)
                return 0;
        if (!fgets(line, sizeof(line), f))
                line[0] = '\0';
        line[strcspn(line, "\n")] = '\0';
        return text_escape(line, ret);
}

int vl_method_status(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *running = NULL, *failures = NULL,
                                                          *problems = NULL, *unwatched = NULL;
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *policy = NULL, *counters = NULL, *phases = NULL,
                                                          *after_udev = NULL, *waiting = NULL;
        Service *s = userdata;
        const ServiceContext *context = &s->context;
        const char *own_rule = udev_keeper_get_own_rule(context->udev);
        const char *gate_off = NULL;
        const Obstacle *obstacle;
        _cleanup_(freep) char *kernel_program = NULL;
        bool stepped_back;
        GateMode gate;
        const Index *index;
        uint64_t idle_usec;
        int r;

        r = service_admit(s, link, "Status", flags);
        if (r != 0)
                return r;
        r = dispatch_nothing(link, parameters);
        if (r != 0)
                return r;

        (void) settings_watch_get_problems(context->settings_watch); /* may put settings into force */
        idle_usec = context->settings->idle_unload_usec;
        index = index_keeper_get(context->index); /* may find an obstacle */
        obstacle = charge_get_obstacle(context->charge);
        stepped_back = obstacle_exists(obstacle);
        r = read_kernel_program(&kernel_program);
        if (r < 0)
                return r;
        gate = gate_get_mode(context->gate, &gate_off);
        r = describe_running(context->scheduler, &running);
        if (r < 0)
                return r;
        r = describe_failures(context->ledger, &failures);
        if (r < 0)
                return r;
        r = describe_broken_files(context, &problems);
        if (r < 0)
                return r;
        r = describe_unwatched(context, &unwatched);
        if (r < 0)
                return r;
        r = describe_policy(context, &policy);
        if (r < 0)
                return r;
        r = describe_counters(context->counters, &counters);
        if (r < 0)
                return r;
        r = describe_phases(context->counters, &phases);
        if (r < 0)
                return r;
        r = describe_udev_rules(udev_keeper_get(context->udev), &after_udev);
        if (r < 0)
                return r;
        r = boot_list_describe_waiting(context->boot_list, &waiting);
        if (r < 0)
                return r;

        return sd_varlink_replybo(
                link, SD_JSON_BUILD_PAIR_STRING("version", LKMD_VERSION),
                SD_JSON_BUILD_PAIR_STRING("kernelRelease", index_get_release(index)),
                SD_JSON_BUILD_PAIR_STRING("moduleDirectory", index_get_module_dir(index)),
                SD_JSON_BUILD_PAIR_BOOLEAN("indexComplete", index_is_complete(index)),
                SD_JSON_BUILD_PAIR_UNSIGNED("modulesKnown", index_count_modules(index)),
                SD_JSON_BUILD_PAIR_UNSIGNED("aliasesKnown", index_count_aliases(index)),
                SD_JSON_BUILD_PAIR_UNSIGNED("modulesLoaded", count_loaded()),
                SD_JSON_BUILD_PAIR_STRING("inCharge", name_authority(context)),
                SD_JSON_BUILD_PAIR_CONDITION(kernel_program != NULL, "kernelProgram",
                                             SD_JSON_BUILD_STRING(kernel_program)),
                SD_JSON_BUILD_PAIR_BOOLEAN("kernelAsksLkmd", streq_ptr(kernel_program, LKMD_REQUEST_PROGRAM)),
                SD_JSON_BUILD_PAIR_CONDITION(stepped_back, "steppedBack", SD_JSON_BUILD_STRING(obstacle->text)),
                SD_JSON_BUILD_PAIR_CONDITION(stepped_back, "steppedBackRemedy",
                                             SD_JSON_BUILD_STRING(obstacle->remedy)),
                SD_JSON_BUILD_PAIR_CONDITION(own_rule != NULL, "ownUdevRule", SD_JSON_BUILD_STRING(own_rule)),
                SD_JSON_BUILD_PAIR_VARIANT("afterUdev", after_udev),
                SD_JSON_BUILD_PAIR_UNSIGNED("waitingForUdev", context->count_waiting(context->userdata)),
                SD_JSON_BUILD_PAIR_STRING("gate", gate_mode_to_string(gate)),
                SD_JSON_BUILD_PAIR_CONDITION(gate_off != NULL, "gateOff", SD_JSON_BUILD_STRING(gate_off)),
                SD_JSON_BUILD_PAIR_BOOLEAN("idleUnload", idle_unload_is_on(context->idle_unload)),
                SD_JSON_BUILD_PAIR_CONDITION(idle_usec != UINT64_MAX, "idleUnloadUSec",
                                             SD_JSON_BUILD_UNSIGNED(idle_usec)),
                SD_JSON_BUILD_PAIR_UNSIGNED("startedUSec", context->started_usec),
                SD_JSON_BUILD_PAIR_BOOLEAN("coldplugDone", context->is_coldplug_done(context->userdata)),
                SD_JSON_BUILD_PAIR_BOOLEAN("idle", context->is_idle(context->userdata)),
                SD_JSON_BUILD_PAIR_UNSIGNED("queued", scheduler_count_queued(context->scheduler)),
                SD_JSON_BUILD_PAIR_VARIANT("running", running),
                SD_JSON_BUILD_PAIR_VARIANT("failures", failures),
                SD_JSON_BUILD_PAIR_BOOLEAN("listsSettled",
                                           boot_list_get_progress(context->boot_list) == BOOT_LIST_SETTLED),
                SD_JSON_BUILD_PAIR_VARIANT("waitingForDevice", waiting),
                SD_JSON_BUILD_PAIR_VARIANT("problems", problems),
                SD_JSON_BUILD_PAIR_VARIANT("unwatched", unwatched),
                SD_JSON_BUILD_PAIR_VARIANT("policy", policy),
                SD_JSON_BUILD_PAIR_VARIANT("counters", counters),
                SD_JSON_BUILD_PAIR_VARIANT("phases", phases));
}

/* ------------------------------------------------------------------------------------- DescribeModule */

static int describe_dependencies(const IndexModule *known, sd_json_variant **ret) {
        int r;

        r = sd_json_variant_new_array(ret, NULL, 0);
        for (size_t i = 0; r >= 0 && known && i < known->n_dependencies; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *name = NULL;

                r = sd_json_variant_new_string(&name, known->dependencies[i]->name);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, name);
        }
        return r;
}

static int describe_history(const Ledger *ledger, const char *module, sd_json_variant **ret) {
        _cleanup_(record_list_clear) RecordList history = {};

        for (size_t i = 0; i < ledger_count(ledger); i++) {
                Record *record = ledger_get(ledger, i);

                if (record_is_about(record, module)) {
                        int r = record_list_add(&history, record);

                        if (r < 0)
                                return r;
                }
        }
        return describe_records(&history, ret);
}

static int describe_blacklist(const Index *index, const char *module, sd_json_variant **ret) {
        const ConfigEntry *entry;

        if (!modprobe_config_is_blacklisted(index_get_config(index), module, &entry))
                return 0;
        return plan_omission_to_json(
                &(PlanOmission) {
                        .kind = PLAN_BLACKLISTED,
                        .module = (char *) module,
                        .ruling = { .source = POLICY_BY_BLACKLIST,
                                    .file = (char *) entry->file,
                                    .line = entry->line },
                },
                ret);
}

/*
 * What the next load would do: the parameters, how they differ from those of the module if it is loaded, and the
 * omissions. @live: NULL: it is not loaded
 */
static int describe_plan(const Planner *planner, const Index *index, const char *module,
                         const LiveModule *live, sd_json_variant **ret_omissions, char **ret_parameters,
                         sd_json_variant **ret_live) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = planner_ask(planner, index, module, PLAN_NAMED, &plan);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = plan->steps + i;

                if (streq(step->module, module) && step->parameters && step->parameters[0] != '\0') {
                        *ret_parameters = strdup(step->parameters);
                        if (!*ret_parameters)
                                return -ENOMEM;
                        r = live ? describe_live_parameters(live, step, ret_live) : 0;
                        if (r < 0)
                                return r;
                }
        }
        return plan_omissions_to_json(plan, ret_omissions);
}

static const LoadedModule *find_loaded(const LoadedModules *loaded, const char *name) {
        for (size_t i = 0; i < loaded->n_items; i++)
                if (streq(loaded->items[i].name, name))
                        return loaded->items + i;
        return NULL;
}

/* The name is no module; if it is an alias, the reply says of which module. */
static int reply_no_module(sd_varlink *link, const ServiceContext *context, const char *name) {
        _cleanup_(freep) char *hint = NULL;
        const Index *index = index_keeper_get(context->index);
        _cleanup_(index_answer_clear) IndexAnswer answer = {};

        if (index_lookup(index, name, &answer) < 0 || answer.n_matches == 0)
                return reply_no_such_module(link, index, name);
        if (asprintf(&hint, "lkmctl status %s", answer.matches[0].name) < 0) {
                hint = NULL;
                return -ENOMEM;
        }
        return reply_message(link, LKMD_ERROR_NO_SUCH_MODULE, hint, "'%s' is an alias of %s%s", name,
                             answer.matches[0].name, answer.n_matches > 1 ? " and others" : "");
}

static int reply_described(sd_varlink *link, const ServiceContext *context, const char *name, const IndexModule *known,
                           const LoadedModule *loaded) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *module = NULL, *dependencies = NULL,
                                                          *omissions = NULL;
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *blacklist = NULL, *history = NULL, *live = NULL;
        _cleanup_(freep) char *configured = NULL, *configured_utf8 = NULL;
        const Index *index = index_keeper_get(context->index);
        const char *file_module = known ? known->name : name, *state;
        int r;

        state = loaded                                          ? state_name(loaded->state)
                : known && !known->path                         ? "built_in"
                : scheduler_is_queued(context->scheduler, name) ? "queued"
                                                                : "not_loaded";
        r = describe_module(
                &(ListedModule) {
                        .name = name,
                        .state = state,
                        .path = known ? known->path : NULL,
                        .file_module = file_module,
                        .loaded = loaded,
                        .loaded_by = loaded ? ledger_find_load(context->ledger, name) : NULL,
                },
                &module);
        if (r < 0)
                return r;
        r = describe_dependencies(known, &dependencies);
        if (r < 0)
                return r;
        r = describe_plan(context->planner, index, file_module, loaded ? &(LiveModule) {
                                          .name = name,
                                          .path = known ? known->path : NULL,
                                          .loaded_by = ledger_find_load(context->ledger, name),
                                  } : NULL, &omissions, &configured, &live);
        if (r >= 0 && streq(state, "built_in"))
                r = describe_builtin_parameters(name, index_get_config(index), &live);
        if (r < 0)
                return r;
        r = describe_blacklist(index, file_module, &blacklist);
        if (r < 0)
                return r;
        r = describe_history(context->ledger, name, &history);
        if (r < 0)
                return r;
        r = text_escape(configured ?: "", &configured_utf8);
        if (r < 0)
                return r;

        return sd_varlink_replybo(
                link, SD_JSON_BUILD_PAIR_VARIANT("module", module),
                SD_JSON_BUILD_PAIR_VARIANT("dependencies", dependencies),
                SD_JSON_BUILD_PAIR_CONDITION(configured != NULL, "configuredParameters",
                                             SD_JSON_BUILD_STRING(configured_utf8)),
                SD_JSON_BUILD_PAIR_CONDITION(live != NULL, "parameters", SD_JSON_BUILD_VARIANT(live)),
                SD_JSON_BUILD_PAIR_VARIANT("omissions", omissions),
                SD_JSON_BUILD_PAIR_CONDITION(blacklist != NULL, "blacklist",
                                             SD_JSON_BUILD_VARIANT(blacklist)),
                SD_JSON_BUILD_PAIR_VARIANT("history", history));
}

/* @given: as the client wrote @name, which may be that of the file or that in the kernel */
static int reply_by_name(sd_varlink *link, const ServiceContext *context, const char *given,
                         const char *name, const LoadedModules *all) {
        const Index *index = index_keeper_get(context->index);
        const LoadedModule *loaded = find_loaded(all, name);
        const IndexModule *known;

        if (loaded)
                return reply_described(link, context, name,
                                       planner_find_module(context->planner, index, name), loaded);
        known = index_find_module(index, name);
        if (!known)
                known = planner_find_module(context->planner, index, name);
        if (!known)
                return reply_no_module(link, context, given);
        name = planner_kernel_name(context->planner, index, known->name, FACTS_READ);
        return reply_described(link, context, name, known, find_loaded(all, name));
}

typedef struct DescribeParameters {
        const char *name;               /* borrowed */
} DescribeParameters;

int vl_method_describe_module(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                              void *userdata) {
        static const sd_json_dispatch_field table[] = {
                { "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
                  offsetof(DescribeParameters, name), SD_JSON_MANDATORY },
                {}
        };
        _cleanup_(loaded_modules_clear) LoadedModules all = {};
        char name[MODULE_NAME_MAX + 1];
        DescribeParameters p = {};
        Service *s = userdata;
        int r;

        r = service_admit(s, link, "DescribeModule", flags);
        if (r != 0)
                return r;
        r = sd_varlink_dispatch(link, parameters, table, &p);
        if (r != 0)
                return r;
        if (p.name[0] == '\0' || strlen(p.name) > REQUEST_KEY_MAX)
                return sd_varlink_error_invalid_parameter_name(link, "name");
        if (module_name_normalize(p.name, name, sizeof(name)) < 0)
                return reply_no_module(link, &s->context, p.name);

        r = loaded_modules_read(&all.items, &all.n_items);
        if (r < 0)
                return r;
        return reply_by_name(link, &s->context, p.name, name, &all);
}
