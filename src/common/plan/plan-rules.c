/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PlanRules: see plan-rules.h. compat_kmod of the request chooses between lkmd and kmod 34. Owns nothing.
 */

#include "common/plan/plan-rules.h"

#include <assert.h>

#include "common/base/glob.h"
#include "common/modprobe/deny-command.h"
#include "common/words/kernel-command-line.h"

static bool is_on_command_line(const ConfigEntry *e) {
        return e->line == 0 && streq(e->file, KERNEL_COMMAND_LINE_FILE);
}

/*
 * The first line that blacklists a module, on the kernel command line or in the files. For kmod, a name with '-'
 * on the kernel command line matches no module.
 */
static const ConfigEntry *find_blacklist(const PlanGraph *g, const char *module, bool on_command_line) {
        const ModprobeConfig *config = index_get_config(g->index);
        const ConfigEntry *e;
        size_t n;

        if (!modprobe_config_is_blacklisted(config, module, &e))
                return NULL;
        e = modprobe_config_entries(config, CONFIG_BLACKLIST, &n);
        for (size_t i = 0; i < n; i++)
                if (streq(e[i].name, module) && is_on_command_line(e + i) == on_command_line &&
                    !(g->request->compat_kmod && e[i].dashed))
                        return &e[i];
        return NULL;
}

/* kmod uses only the first line that matches the module, even if it is empty. */
static const ConfigEntry *find_first_softdep_line(const PlanGraph *g, const char *module) {
        const ConfigEntry *e;
        size_t n;

        e = modprobe_config_entries(index_get_config(g->index), CONFIG_SOFTDEP, &n);
        for (size_t i = 0; i < n; i++)
                if (glob_match(e[i].name, module))
                        return &e[i];
        return NULL;
}

/**
 * plan_rules_get_softdeps() - the softdeps of a module
 * @ret: an array, which the caller has to free
 *
 * Return: as index_softdeps().
 */
int plan_rules_get_softdeps(const PlanGraph *g, const char *module, IndexSoftdep **ret, size_t *ret_n) {
        _cleanup_(freep) IndexSoftdep *softdeps = NULL;
        const ConfigEntry *line;
        size_t n, first = 0, last;
        int r;

        r = index_softdeps(g->index, module, &softdeps, &n);
        if (r < 0)
                return r;

        last = n;
        if (g->request->compat_kmod) {
                line = find_first_softdep_line(g, module);
                while (first < n && softdeps[first].config != line)
                        first++;
                for (last = first; last < n && softdeps[last].config == line;)
                        last++;
                if (last > first)
                        memmove(softdeps, softdeps + first, (last - first) * sizeof(*softdeps));
        }

        *ret = STEAL_PTR(softdeps);
        *ret_n = last - first;
        return 0;
}

/**
 * plan_rules_settle_command() - find out whether the install line of a node runs instead of it
 *
 * For kmod it does not if a softdep of the module matches any module (libkmod 34, __kmod_module_fill_softdep()).
 * Looks keys up: no answer of another look-up may be in use.
 *
 * Return: 0; -ENOMEM.
 */
int plan_rules_settle_command(PlanGraph *g, size_t i) {
        _cleanup_(freep) IndexSoftdep *softdeps = NULL;
        size_t n;
        int r;

        if (!g->request->compat_kmod || !g->nodes[i].install || node_is_builtin(&g->nodes[i]))
                return 0;

        r = plan_rules_get_softdeps(g, g->nodes[i].name, &softdeps, &n);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t k = 0; k < n; k++) {
                const IndexMatch *matches;
                size_t n_matches = 0;

                r = plan_graph_look_up(g, softdeps[k].key, &matches, &n_matches);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || n_matches == 0)
                        continue;
                g->nodes[i].install = NULL;
                return 0;
        }

        return 0;
}

/* Whether blacklist lines apply to a node: not to modules that are requested by name (modprobe(8), -b). */
static bool blacklist_holds(const PlanGraph *g, const Node *n, PolicyPart part) {
        if (g->request->blacklist_denies)
                return true;
        return part == POLICY_REQUESTED && (g->request->mode == PLAN_AUTOLOAD || n->by_alias);
}

/**
 * plan_rules_make_subject() - make the subject of a node, for the policy
 * @ret_requester: the requester, which @ret points to
 * @ret:           borrows from the graph and @ret_requester
 */
void plan_rules_make_subject(const PlanGraph *g, const Node *n, PolicyPart part, PolicyRequester *ret_requester,
                             PolicySubject *ret) {
        if (g->request->requester)
                *ret_requester = *g->request->requester;
        else
                *ret_requester = (PolicyRequester) { .origin = _ORIGIN_INVALID };
        ret_requester->key = g->request->key;

        *ret = (PolicySubject) {
                .requester = ret_requester,
                .part = part,
                .module = n->name,
                .path = n->module ? n->module->path : NULL,
        };
        /* kmod runs an install line that only denies, which fails */
        if (!g->request->compat_kmod && n->install && command_is_denial(n->install->value))
                ret->install = n->install;
        if (blacklist_holds(g, n, part)) {
                ret->blacklist = find_blacklist(g, n->name, /* on_command_line= */ false);
                ret->command_line_blacklist = find_blacklist(g, n->name, /* on_command_line= */ true);
        }
}

typedef struct TraceContext {
        const PlanRequest *request;
        const PolicySubject *subject;
} TraceContext;

static void on_trace(PolicyTraceStep how, const PolicyRuling *what, void *userdata) {
        const TraceContext *m = userdata;

        m->request->trace(m->subject, how, what, m->request->trace_userdata);
}

/* What the kernel calls the module of a node, if that is known and another name; else NULL. Borrowed. */
const char *plan_rules_kernel_name(const PlanRequest *request, const Node *n) {
        FileFactsEffort effort = request->file_effort == FACTS_KNOWN ? FACTS_READ_UNUSUAL
                                                                     : request->file_effort;
        const char *name = NULL;

        if (request->files && n->module && n->module->path)
                name = file_facts_name(request->files, n->module->path, effort);
        return name && !streq(name, n->name) ? name : NULL;
}

static void judge(const PlanRequest *request, const PolicySubject *subject, PolicyDecision *ret) {
        policy_judge(request->policy, subject, request->now_usec, ret, request->trace ? on_trace : NULL,
                     &(TraceContext) { request, subject });
}

static bool is_by_default(const PolicyRuling *ruling) {
        return ruling->source == POLICY_BY_DEFAULT;
}

/**
 * plan_rules_judge() - ask the policy about a module, by the name of its file and by that in the kernel
 * @kernel_name: NULL: the same
 * @ret:         borrows from the index and the policy
 *
 * A rule may mean either name: what denies one of them denies the module, and a rule comes before the default.
 */
void plan_rules_judge(const PlanRequest *request, const PolicySubject *subject, const char *kernel_name,
                      PolicyDecision *ret) {
        PolicySubject other = *subject;
        PolicyDecision decision;

        judge(request, subject, ret);
        if (!kernel_name)
                return;
        other.module = kernel_name;
        judge(request, &other, &decision);
        if (is_by_default(&decision.would) && is_by_default(&decision.actual))
                return;
        if (ret->would.verdict != POLICY_DENY || is_by_default(&ret->would))
                ret->would = decision.would;
        if (ret->actual.verdict != POLICY_DENY || is_by_default(&ret->actual))
                ret->actual = decision.actual;
}

/**
 * plan_rules_deny() - ask the policy about a node, and keep the ruling
 *
 * Return: whether it is denied.
 */
bool plan_rules_deny(PlanGraph *g, size_t i, PolicyPart part) {
        Node *n = &g->nodes[i];
        PolicyRequester requester;
        PolicyDecision decision;
        PolicySubject subject;

        plan_rules_make_subject(g, n, part, &requester, &subject);
        plan_rules_judge(g->request, &subject, plan_rules_kernel_name(g->request, n), &decision);
        n->ruling[part] = g->request->as_if_enforced ? decision.would : decision.actual;
        n->would_deny[part] = decision.would.verdict == POLICY_DENY;
        if ((decision.would.verdict == POLICY_DENY) != (decision.actual.verdict == POLICY_DENY))
                g->plan->audited = true;
        return n->ruling[part].verdict == POLICY_DENY;
}

/**
 * plan_rules_each_options() - the rules whose options a node gets
 *
 * Return: 0, or the first negative value of @on_rule.
 */
int plan_rules_each_options(const PlanGraph *g, const Node *n, policy_options_t on_rule, void *userdata) {
        PolicyRequester requester;
        PolicySubject subject;

        plan_rules_make_subject(g, n, n->part, &requester, &subject);
        return policy_each_options(g->request->policy, &subject, g->request->now_usec, on_rule, userdata);
}

/* The rule that chooses among several candidates; NULL: the request gets all of them. */
const PolicyRule *plan_rules_find_preference(const PlanGraph *g) {
        PolicyRequester requester = { .origin = _ORIGIN_INVALID };

        if (g->request->requester)
                requester = *g->request->requester;
        requester.key = g->request->key;
        return (g->request->as_if_enforced ? policy_would_prefer : policy_find_preference)(
                g->request->policy, &requester, g->request->now_usec);
}
