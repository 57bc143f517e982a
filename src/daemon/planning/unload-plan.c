/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnloadPlan: made from one view of the kernel's modules. A module that was asked for goes, with --holders those
 * that use it before. What else may go was loaded because of one that goes, and for nothing else: dependencies and
 * softdeps. Such a candidate stays if somebody asked for it, if lkmd did not load it, if a module that stays names
 * it in a softdep, or if it is in use by more than modules that go before it.
 *
 * What frees one candidate may come late in the plan, so those that stay are looked at again until none is left that
 * can go. modprobe -r tries each dependency once in the order of modules.dep, and so leaves what only a dependency
 * used.
 */

#include "daemon/planning/unload-plan.h"

#include <assert.h>

#include "common/base/array.h"
#include "common/base/enum-names.h"
#include "common/base/string-list.h"
#include "common/index/index-lookup.h"

static const char *const reason_names[_UNLOAD_REASON_MAX] = {
        [UNLOAD_REQUESTED] = "requested",     [UNLOAD_IDLE] = "idle",
        [UNLOAD_HOLDER] = "holder",           [UNLOAD_DEPENDENCY] = "dependency",
        [UNLOAD_SOFTDEP_PRE] = "softdep_pre", [UNLOAD_SOFTDEP_POST] = "softdep_post",
};

static const char *const stay_names[_UNLOAD_STAY_KIND_MAX] = {
        [UNLOAD_STAYS_REQUESTED] = "requested", [UNLOAD_STAYS_NOT_LKMDS] = "not_lkmds",
        [UNLOAD_STAYS_WANTED] = "wanted",       [UNLOAD_STAYS_IN_USE] = "in_use",
        [UNLOAD_STAYS_KEPT] = "kept",           [UNLOAD_STAYS_NOT_LIVE] = "not_live",
};

const char *unload_reason_to_string(UnloadReason r) {
        return ENUM_NAME(reason_names, r);
}

const char *unload_stay_kind_to_string(UnloadStayKind k) {
        return ENUM_NAME(stay_names, k);
}

/* While a plan is made. */
typedef struct Making {
        UnloadPlan *plan;
        const UnloadSources *sources;
        char **going;                   /* modules that are in the plan, or about to be */
        char **ordered;                 /* those that go whatever else is known of them; they have their own turn */
} Making;

static void stay_clear(UnloadStay *s) {
        free(s->module);
        free(s->parent);
        record_unref(s->record);
        string_list_free(s->modules);
        *s = (UnloadStay) {};
}

/* Return: NULL. */
UnloadPlan *unload_plan_free(UnloadPlan *p) {
        if (!p)
                return NULL;

        for (size_t i = 0; i < p->n_steps; i++) {
                free(p->steps[i].module);
                free(p->steps[i].parent);
                free(p->steps[i].command);
                string_list_free(p->steps[i].holders_left);
        }
        free(p->steps);
        for (size_t i = 0; i < p->n_stays; i++)
                stay_clear(p->stays + i);
        free(p->stays);
        free(p);
        return NULL;
}

static const LoadedModule *find_loaded(const UnloadSources *s, const char *module) {
        for (size_t i = 0; i < s->n_loaded; i++)
                if (streq(s->loaded[i].name, module))
                        return s->loaded + i;
        return NULL;
}

/* NULL: it is not part of the plan. */
const UnloadStep *unload_plan_find_step(const UnloadPlan *p, const char *module) {
        assert(p && module);

        for (size_t i = 0; i < p->n_steps; i++)
                if (streq(p->steps[i].module, module))
                        return p->steps + i;
        return NULL;
}

/* ------------------------------------------------------------------------------------------ why one stays */

/*
 * The modules in the kernel that a softdep means, which names a module or, as most do, an alias of several (crc32c):
 * added to *ret, each once. Without those that are built in. Return: 0; -ENOMEM.
 */
static int softdep_modules(const UnloadSources *s, const char *key, char ***ret) {
        _cleanup_(index_answer_clear) IndexAnswer answer = {};
        int r;

        r = index_lookup(s->index, key, &answer);
        if (r < 0)
                return r == -ENOMEM ? r : 0;    /* a key that nothing can match */
        for (size_t i = 0; i < answer.n_matches; i++) {
                const IndexModule *known = answer.matches[i].module;
                const char *name;

                if (!known || !known->path)
                        continue;
                name = planner_kernel_name(s->planner, s->index, known->name, FACTS_READ_UNUSUAL);
                if (string_list_contains(*ret, name))
                        continue;
                r = string_list_append(ret, name, strlen(name));
                if (r < 0)
                        return r;
        }
        return 0;
}

static const char *file_name(const UnloadSources *s, const char *module) {
        const IndexModule *known = planner_find_module(s->planner, s->index, module);

        return known ? known->name : module;
}

/* A softdep does not count as a reference: which loaded modules that stay name it in one? */
static int find_claims(const UnloadSources *s, char *const *going, const char *module, char ***ret) {
        for (size_t i = 0; i < s->n_loaded; i++) {
                _cleanup_(freep) IndexSoftdep *softdeps = NULL;
                const char *name = s->loaded[i].name;
                size_t n = 0;
                int r;

                if (streq(name, module) || string_list_contains(going, name))
                        continue;
                r = index_softdeps(s->index, file_name(s, name), &softdeps, &n);
                for (size_t k = 0; r >= 0 && k < n; k++) {
                        _cleanup_(string_list_freep) char **wanted = NULL;

                        r = softdep_modules(s, softdeps[k].key, &wanted);
                        if (r >= 0 && string_list_contains(wanted, module) &&
                            !string_list_contains(*ret, name))
                                r = string_list_append(ret, name, strlen(name));
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

/* References that are left once the modules before it have gone, and the modules among them. */
static int count_refs(const UnloadPlan *p, size_t n_before, const LoadedModule *m, int64_t *ret_refs,
                      char ***ret_holders) {
        int64_t refs = m->ref_count;

        for (char **holder = m->holders; holder && *holder; holder++) {
                bool gone = false;
                int r;

                for (size_t i = 0; i < n_before && !gone; i++)
                        gone = streq(p->steps[i].module, *holder);
                if (gone && refs > 0)
                        refs--;
                if (gone)
                        continue;
                r = string_list_append(ret_holders, *holder, strlen(*holder));
                if (r < 0)
                        return r;
        }
        *ret_refs = refs;
        return 0;
}

/*
 * Why does a module stay that nobody asked to remove? @n_before: steps that have been done when its turn comes
 * Return: 1 with @ret; 0: it can go, or is not in the kernel; -ENOMEM.
 */
static int why_it_stays(const UnloadPlan *p, size_t n_before, const UnloadSources *s, char *const *going,
                        const LoadedModule *m, UnloadStay *ret) {
        _cleanup_(string_list_freep) char **claims = NULL, **holders = NULL;
        Record *record = ledger_find_wanted(s->ledger, m->name);
        int64_t refs = 0;
        int r;

        if (m->state != MODULE_LIVE) {
                ret->kind = UNLOAD_STAYS_NOT_LIVE;
                return 1;
        }
        if (ledger_was_requested(s->ledger, m->name)) {
                ret->kind = record && record_is_lkmds(record) ? UNLOAD_STAYS_REQUESTED
                                                              : UNLOAD_STAYS_NOT_LKMDS;
                ret->record = record ? record_ref(record) : NULL;
                return 1;
        }

        if (s->keeps && s->keeps(m->name, s->userdata)) {
                ret->kind = UNLOAD_STAYS_KEPT;
                return 1;
        }
        r = find_claims(s, going, m->name, &claims);
        if (r < 0)
                return r;
        if (claims) {
                ret->kind = UNLOAD_STAYS_WANTED;
                ret->modules = STEAL_PTR(claims);
                return 1;
        }
        r = count_refs(p, n_before, m, &refs, &holders);
        if (r < 0)
                return r;
        if (refs != 0) {                /* -1: this kernel unloads nothing */
                ret->kind = UNLOAD_STAYS_IN_USE;
                ret->ref_count = refs;
                ret->modules = STEAL_PTR(holders);
                return 1;
        }
        return 0;
}

static int copy_strings(char *const *list, char ***ret) {
        for (; list && *list; list++) {
                int r = string_list_append(ret, *list, strlen(*list));

                if (r < 0)
                        return r;
        }
        return 0;
}

static void forget_stay(UnloadPlan *p, size_t i) {
        stay_clear(p->stays + i);
        memmove(p->stays + i, p->stays + i + 1, (p->n_stays - i - 1) * sizeof(*p->stays));
        p->n_stays--;
}

/* Takes @stay. */
static int add_stay(UnloadPlan *p, const char *module, const char *parent, UnloadReason reason,
                    UnloadStay *stay) {
        int r;

        for (size_t i = 0; i < p->n_stays; i++)
                if (streq(p->stays[i].module, module)) {
                        forget_stay(p, i);
                        break;
                }
        stay->module = strdup(module);
        stay->parent = parent ? strdup(parent) : NULL;
        stay->reason = reason;
        r = !stay->module || (parent && !stay->parent)
                    ? -ENOMEM
                    : array_grow(&p->stays, p->n_stays, sizeof(*p->stays));
        if (r < 0) {
                stay_clear(stay);
                return r;
        }
        p->stays[p->n_stays++] = *stay;
        *stay = (UnloadStay) {};
        return 0;
}

/* ------------------------------------------------------------------------------------------------- making */

/* The remove line of a module, by either of its names. */
static int find_command(const UnloadSources *s, const char *module, char **ret) {
        const ModprobeConfig *config = index_get_config(s->index);
        const char *names[] = { module, file_name(s, module) };

        for (size_t i = 0; i < ARRAY_LEN(names) && !*ret; i++)
                if (modprobe_config_find_command(config, CONFIG_REMOVE, names[i]) &&
                    !(*ret = strdup(names[i])))
                        return -ENOMEM;
        return 0;
}

static int add_step(Making *m, const LoadedModule *loaded, UnloadReason reason, const char *parent) {
        UnloadPlan *p = m->plan;
        UnloadStep *step;
        int r;

        r = array_grow(&p->steps, p->n_steps, sizeof(*p->steps));
        if (r < 0)
                return r;
        step = p->steps + p->n_steps;
        *step = (UnloadStep) { .reason = reason, .size_bytes = loaded->size_bytes };
        p->n_steps++;                   /* from here on unload_plan_free() has it */
        step->module = strdup(loaded->name);
        if (!step->module || (parent && !(step->parent = strdup(parent))))
                return -ENOMEM;
        if (unload_reason_is_order(reason) && !m->sources->alone && !m->sources->ignore_commands) {
                r = find_command(m->sources, loaded->name, &step->command);
                if (r < 0)
                        return r;
        }
        return count_refs(p, p->n_steps - 1, loaded, &step->refs_left, &step->holders_left);
}

static int consider(Making *m, const char *module, UnloadReason reason, const char *parent);

/* The softdeps of one kind, the last first. */
static int consider_softdeps(Making *m, const char *module, bool post) {
        _cleanup_(freep) IndexSoftdep *softdeps = NULL;
        size_t n = 0;
        int r;

        if (m->sources->ignore_commands)
                return 0;
        r = index_softdeps(m->sources->index, file_name(m->sources, module), &softdeps, &n);
        for (size_t i = n; r >= 0 && i > 0; i--) {
                _cleanup_(string_list_freep) char **wanted = NULL;

                if (softdeps[i - 1].post != post)
                        continue;
                r = softdep_modules(m->sources, softdeps[i - 1].key, &wanted);
                for (size_t k = string_list_count(wanted); r >= 0 && k > 0; k--)
                        r = consider(m, wanted[k - 1], post ? UNLOAD_SOFTDEP_POST : UNLOAD_SOFTDEP_PRE,
                                     module);
        }
        return r;
}

/* A module that goes, with what may go because of it. */
static int take(Making *m, const LoadedModule *loaded, UnloadReason reason, const char *parent) {
        const UnloadSources *s = m->sources;
        const IndexModule *known = planner_find_module(s->planner, s->index, loaded->name);
        int r;

        r = string_list_append(&m->going, loaded->name, strlen(loaded->name));
        if (r >= 0 && s->alone)
                return add_step(m, loaded, reason, parent);
        if (r >= 0)
                r = consider_softdeps(m, loaded->name, /* post= */ true);
        if (r >= 0)
                r = add_step(m, loaded, reason, parent);
        if (r < 0 || m->plan->steps[m->plan->n_steps - 1].command)
                return r;               /* the command is responsible for the rest, modprobe.d(5) */

        for (size_t i = known ? known->n_dependencies : 0; r >= 0 && i > 0; i--)
                r = consider(m,
                             planner_kernel_name(s->planner, s->index, known->dependencies[i - 1]->name,
                                                 FACTS_READ_UNUSUAL),
                             UNLOAD_DEPENDENCY, loaded->name);
        return r < 0 ? r : consider_softdeps(m, loaded->name, /* post= */ false);
}

/* A module that may go because of @parent. */
static int consider(Making *m, const char *module, UnloadReason reason, const char *parent) {
        const LoadedModule *loaded = find_loaded(m->sources, module);
        UnloadStay stay = {};
        int r;

        if (!loaded || string_list_contains(m->going, module) || string_list_contains(m->ordered, module))
                return 0;
        r = why_it_stays(m->plan, m->plan->n_steps, m->sources, m->going, loaded, &stay);
        if (r > 0)
                return add_stay(m->plan, module, parent, reason, &stay);
        return r < 0 ? r : take(m, loaded, reason, parent);
}

/* Has the plan freed some that stayed? */
static int reconsider(Making *m) {
        for (size_t i = 0; i < m->plan->n_stays;) {
                _cleanup_(freep) char *module = NULL, *parent = NULL;
                size_t n = m->plan->n_steps;
                UnloadReason reason = m->plan->stays[i].reason;
                const LoadedModule *loaded = find_loaded(m->sources, m->plan->stays[i].module);
                UnloadStay stay = {};
                int r;

                r = loaded ? why_it_stays(m->plan, n, m->sources, m->going, loaded, &stay) : 1;
                stay_clear(&stay);
                if (r < 0)
                        return r;
                if (r > 0) {
                        i++;
                        continue;
                }
                module = STEAL_PTR(m->plan->stays[i].module);
                parent = STEAL_PTR(m->plan->stays[i].parent);
                forget_stay(m->plan, i);
                r = take(m, loaded, reason, parent);
                if (r < 0)
                        return r;
                i = 0;
        }
        return 0;
}

/* What those that stay are in use by, now that all of the plan is known. */
static int update_stays(Making *m) {
        for (size_t i = 0; i < m->plan->n_stays; i++) {
                UnloadStay *stay = m->plan->stays + i, now = {};
                const LoadedModule *loaded = find_loaded(m->sources, stay->module);
                int r = loaded ? why_it_stays(m->plan, m->plan->n_steps, m->sources, m->going, loaded, &now)
                               : 0;

                if (r < 0)
                        return r;
                if (r > 0 && now.kind == stay->kind) {
                        string_list_free(stay->modules);
                        stay->modules = STEAL_PTR(now.modules);
                        stay->ref_count = now.ref_count;
                }
                stay_clear(&now);
        }
        return 0;
}

/* A module that was asked for, and with @holders those that use it, and so on. */
static int collect_ordered(Making *m, const LoadedModule *loaded, bool holders) {
        int r;

        if (string_list_contains(m->ordered, loaded->name))
                return 0;
        r = string_list_append(&m->ordered, loaded->name, strlen(loaded->name));
        for (char **holder = loaded->holders; r >= 0 && holders && holder && *holder; holder++) {
                const LoadedModule *user = find_loaded(m->sources, *holder);

                if (user)
                        r = collect_ordered(m, user, holders);
        }
        return r;
}

/* Who uses it goes before it. @depth: the kernel has no circles of holders; /proc/modules is read line by line */
static int take_holders(Making *m, const LoadedModule *loaded, size_t depth) {
        int r = 0;

        if (depth > m->sources->n_loaded)
                return 0;
        for (char **holder = loaded->holders; r >= 0 && holder && *holder; holder++) {
                const LoadedModule *user = find_loaded(m->sources, *holder);

                if (!user || string_list_contains(m->going, *holder))
                        continue;
                r = take_holders(m, user, depth + 1);
                if (r >= 0 && !string_list_contains(m->going, *holder))
                        r = take(m, user, UNLOAD_HOLDER, loaded->name);
        }
        return r;
}

/**
 * unload_plan_new() - what would happen to remove modules
 * @modules: as the kernel calls them; those that are not in the kernel are skipped
 * @reason:  why these go
 * @holders: what uses them goes, too
 *
 * Return: 0 or -ENOMEM.
 */
int unload_plan_new(UnloadPlan **ret, const UnloadSources *sources, char *const *modules,
                    UnloadReason reason, bool holders) {
        _cleanup_(unload_plan_freep) UnloadPlan *p = NULL;
        Making m = { .sources = sources };
        int r = 0;

        assert(ret && sources && sources->ledger && sources->planner && sources->index && modules);

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        m.plan = p;
        for (char *const *module = modules; r >= 0 && *module; module++) {
                const LoadedModule *loaded = find_loaded(sources, *module);

                if (loaded)
                        r = collect_ordered(&m, loaded, holders);
        }
        for (char *const *module = modules; r >= 0 && *module; module++) {
                const LoadedModule *loaded = find_loaded(sources, *module);

                if (!loaded || string_list_contains(m.going, *module))
                        continue;
                if (holders)
                        r = take_holders(&m, loaded, 0);
                if (r >= 0 && !string_list_contains(m.going, *module))
                        r = take(&m, loaded, reason, NULL);
        }
        if (r >= 0)
                r = reconsider(&m);
        if (r >= 0)
                r = update_stays(&m);
        string_list_free(m.going);
        string_list_free(m.ordered);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(p);
        return 0;
}

/* The first step that has to be done and cannot be, since the module is in use by something else. NULL: none. */
const UnloadStep *unload_plan_find_busy(const UnloadPlan *p) {
        assert(p);

        for (size_t i = 0; i < p->n_steps; i++)
                if (unload_reason_is_order(p->steps[i].reason) && !p->steps[i].command &&
                    p->steps[i].refs_left > 0)
                        return p->steps + i;
        return NULL;
}

/* Does a softdep of a loaded module name it? Return: 1: yes; 0; -ENOMEM. */
int unload_sources_claim(const UnloadSources *sources, const char *module) {
        _cleanup_(string_list_freep) char **claims = NULL;
        int r;

        assert(sources && module);

        r = find_claims(sources, NULL, module, &claims);
        return r < 0 ? r : claims != NULL;
}

/* Return: 0; -ENOMEM. */
int unload_plan_add_stay(UnloadPlan *p, const LoadedModule *module, UnloadStayKind kind) {
        UnloadStay stay = { .kind = kind, .ref_count = module->ref_count };
        int r;

        assert(p && module);

        r = copy_strings(module->holders, &stay.modules);
        if (r >= 0)
                return add_stay(p, module->name, NULL, UNLOAD_IDLE, &stay);
        stay_clear(&stay);
        return r;
}

/* Memory of the kernel that it frees. */
uint64_t unload_plan_bytes(const UnloadPlan *p) {
        uint64_t bytes = 0;

        assert(p);

        for (size_t i = 0; i < p->n_steps; i++)
                bytes += p->steps[i].size_bytes;
        return bytes;
}

/**
 * unload_plan_recheck() - is a step still right, now that its turn has come?
 * @sources: as things are now
 *
 * One that was asked for is: the kernel decides. Another one that is in use meanwhile, or that somebody has asked for,
 * joins those that stay.
 *
 * Return: 1: it is; 0: it stays, or has gone; -ENOMEM.
 */
int unload_plan_recheck(UnloadPlan *p, const UnloadSources *sources, size_t step) {
        _cleanup_(string_list_freep) char **going = NULL;
        const UnloadStep *s;
        const LoadedModule *loaded;
        UnloadStay stay = {};
        int r = 0;

        assert(p && sources && step < p->n_steps);

        s = p->steps + step;
        loaded = find_loaded(sources, s->module);
        if (unload_reason_is_order(s->reason))
                return 1;
        if (!loaded)
                return 0;
        for (size_t i = 0; r >= 0 && i < p->n_steps; i++)
                if (i <= step || s->reason == UNLOAD_SOFTDEP_POST)
                        r = string_list_append(&going, p->steps[i].module, strlen(p->steps[i].module));
        if (r >= 0 && s->reason == UNLOAD_IDLE) {
                stay.kind = loaded->state == MODULE_LIVE ? UNLOAD_STAYS_IN_USE : UNLOAD_STAYS_NOT_LIVE;
                r = loaded->state != MODULE_LIVE || loaded->ref_count != 0;
                if (r > 0 && loaded->state == MODULE_LIVE)
                        stay.ref_count = loaded->ref_count;
        } else if (r >= 0)
                r = why_it_stays(p, 0, sources, going, loaded, &stay);
        if (r <= 0)
                return r < 0 ? r : 1;
        stay.changed = true;
        r = add_stay(p, s->module, s->parent, s->reason, &stay);
        return r < 0 ? r : 0;
}
