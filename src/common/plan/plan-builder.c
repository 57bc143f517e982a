/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PlanBuilder: walks from the requested modules through dependencies and softdeps, in the order of kmod (libkmod
 * 34, kmod_module_get_probe_list()), but places each module once. Borrows the index.
 *
 * A module is judged before its dependencies are placed, so that a module that cannot be loaded adds no steps. A
 * module in progress (NODE_WALKING) cannot be placed again below itself: a softdep that would do so is reported as
 * a loop, and its targets are placed afterwards, when nothing is in progress. The same happens to targets deeper
 * than DEPTH_MAX.
 */

#include "common/plan/plan-builder.h"

#include <assert.h>
#include <stdint.h>

#include "common/index/dependency-parents.h"
#include "common/index/index-lookup.h"
#include "common/plan/plan-edges.h"
#include "common/plan/plan-faults.h"
#include "common/plan/plan-graph.h"
#include "common/plan/plan-judge.h"
#include "common/plan/plan-parameters.h"
#include "common/plan/plan-rules.h"

#define DEPTH_MAX 64U                   /* of nested softdeps; beyond it, their order is not kept */

static int place(PlanGraph *g, size_t n, PlanReason reason, size_t parent, const ConfigEntry *config,
                 unsigned depth);

/* ------------------------------------------------------------------------------------------------- steps */

static char *copy(const char *s, bool *failed) {
        char *c = s ? strdup(s) : NULL;

        *failed |= s && !c;
        return c;
}

/* All of a step except its edges and its reason. */
static int fill_step(PlanGraph *g, const Node *n, PlanStep *s) {
        bool builtin = node_is_builtin(n), failed = false;
        bool command = n->install && !builtin && !plan_graph_ignores_install(g, n);
        int r;

        s->action = builtin ? PLAN_BUILTIN : command ? PLAN_COMMAND : PLAN_INSERT;
        s->parent = SIZE_MAX;
        s->by_alias = n->by_alias;
        s->module = copy(n->name, &failed);
        if (s->action == PLAN_INSERT)
                s->kernel_name = copy(plan_rules_kernel_name(g->request, n), &failed);
        s->alias = copy(n->alias, &failed);
        if (s->action == PLAN_INSERT)
                s->path = copy(n->module->path, &failed);
        if (s->action == PLAN_COMMAND) {
                s->command = copy(n->install->value, &failed);
                s->command_file = copy(n->install->file, &failed);
                s->command_line = n->install->line;
        }
        if (builtin)
                s->parameters = copy("", &failed);
        if (failed)
                return -ENOMEM;
        if (builtin) {
                s->allowed_by.source = _POLICY_SOURCE_INVALID;
                return 0;
        }
        s->reported = n->ruling[n->part].verdict == POLICY_REPORT;
        s->would_refuse = n->would_deny[n->part];
        s->allowed_once = n->ruling[n->part].rule && n->ruling[n->part].rule->once;
        r = plan_ruling_set(&s->allowed_by, n->ruling + n->part);
        return r < 0 ? r : plan_parameters_collect(g, n, s);
}

/* Appends the step of a node. */
static int append(PlanGraph *g, size_t i) {
        Node *n = &g->nodes[i];
        Plan *p = g->plan;
        size_t *step_nodes;
        PlanStep *steps;

        n->state = NODE_PLACED;
        if (node_is_builtin(n) && !n->requested)
                return 0;               /* nothing to do, and not requested */

        steps = reallocarray(p->steps, p->n_steps + 1, sizeof(*steps));
        if (!steps)
                return -ENOMEM;
        p->steps = steps;
        step_nodes = reallocarray(g->step_nodes, p->n_steps + 1, sizeof(*step_nodes));
        if (!step_nodes)
                return -ENOMEM;
        g->step_nodes = step_nodes;

        n->step = p->n_steps;
        g->step_nodes[p->n_steps] = i;
        p->steps[p->n_steps] = (PlanStep) {};
        return fill_step(g, n, &p->steps[p->n_steps++]);
}

/* ----------------------------------------------------------------------------------------------- walking */

/* *ret_itself: the module is in progress; *ret_needs: a dependency of it is. */
static int is_in_progress(PlanGraph *g, size_t i, bool *ret_itself, bool *ret_needs) {
        const IndexModule *m = g->nodes[i].module;

        *ret_itself = g->nodes[i].state == NODE_WALKING;
        *ret_needs = false;
        for (size_t k = 0; m && k < m->n_dependencies && !*ret_needs; k++) {
                size_t d;
                int r;

                r = plan_graph_get_dependency(g, m, k, &d);
                if (r < 0)
                        return r;
                *ret_needs = g->nodes[d].state == NODE_WALKING;
        }

        return 0;
}

/* Looks up the targets of all softdeps of a module. */
static int find_targets(PlanGraph *g, size_t i, TargetList *targets) {
        _cleanup_(freep) IndexSoftdep *softdeps = NULL;
        size_t n_softdeps;
        int r;

        r = plan_rules_get_softdeps(g, g->nodes[i].name, &softdeps, &n_softdeps);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        for (size_t k = 0; k < n_softdeps; k++) {
                const IndexSoftdep *s = &softdeps[k];
                const IndexMatch *matches;
                size_t n_matches = 0;

                r = plan_graph_look_up(g, s->key, &matches, &n_matches);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || n_matches == 0) {
                        PolicyRuling line = ruling_of_line(s->config);

                        r = plan_graph_omit(g, PLAN_SOFTDEP_MISSING, s->key, g->nodes[i].name, &line, false);
                        if (r < 0)
                                return r;
                        continue;
                }

                for (size_t j = 0; j < n_matches; j++) {
                        Target t = { .parent = i, .post = s->post, .config = s->config };

                        r = plan_graph_get_match(g, &matches[j], &t.node);
                        if (r < 0)
                                return r;
                        r = target_list_add(targets, &t);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

static int follow(PlanGraph *g, const Target *t, unsigned depth) {
        bool itself, needs;
        int r;

        r = target_list_add(&g->orders, t);
        if (r < 0 || g->nodes[t->node].state == NODE_PLACED)
                return r;

        r = is_in_progress(g, t->node, &itself, &needs);
        if (r < 0)
                return r;
        if ((itself || needs) && !t->post) {
                PolicyRuling line = ruling_of_line(t->config);

                r = plan_graph_omit(g, PLAN_SOFTDEP_LOOP, g->nodes[t->node].name, g->nodes[t->parent].name,
                                    &line, false);
                if (r < 0)
                        return r;
        }
        if (itself)
                return 0;
        if (needs || depth >= DEPTH_MAX)
                return target_list_add(&g->later, t);

        return place(g, t->node, t->post ? PLAN_SOFTDEP_POST : PLAN_SOFTDEP_PRE, t->parent, t->config,
                     depth + 1);
}

/* Places one module between its softdeps; its dependencies have been placed. */
static int place_one(PlanGraph *g, size_t i, PlanReason reason, size_t parent, unsigned depth) {
        _cleanup_(target_list_clear) TargetList targets = {};
        int r;

        if (g->nodes[i].state == NODE_PLACED)
                return 0;
        g->nodes[i].state = NODE_WALKING;
        g->nodes[i].reason = g->nodes[i].requested ? PLAN_REQUESTED : reason;
        g->nodes[i].part = plan_part_of(g->nodes[i].reason);
        g->nodes[i].parent = g->nodes[i].requested ? NOBODY : parent;
        if (reason == PLAN_DEPENDENCY && !g->nodes[i].requested)
                g->nodes[i].alias = g->nodes[i].option_key = NULL; /* dependencies are found by name */

        if (!plan_graph_ignores_install(g, &g->nodes[i])) { /* which ignores softdeps as well */
                r = find_targets(g, i, &targets);
                if (r < 0)
                        return r;
        }

        for (size_t k = 0; k < targets.n_items; k++)
                if (!targets.items[k].post) {
                        r = follow(g, &targets.items[k], depth);
                        if (r < 0)
                                return r;
                }

        r = append(g, i);
        if (r < 0)
                return r;

        for (size_t k = 0; k < targets.n_items; k++)
                if (targets.items[k].post) {
                        r = follow(g, &targets.items[k], depth);
                        if (r < 0)
                                return r;
                }

        return 0;
}

/*
 * Places a module and its dependencies, none of which is in progress. Return: 1; 0: it is left out; negative
 * errno.
 */
static int place(PlanGraph *g, size_t i, PlanReason reason, size_t parent, const ConfigEntry *config,
                 unsigned depth) {
        const IndexModule *m = g->nodes[i].module;
        _cleanup_(freep) size_t *parents = NULL;
        size_t d, nearer;
        int r;

        if (g->nodes[i].state == NODE_PLACED)
                return 1;

        r = plan_judge_node(g, i, g->nodes[i].requested ? POLICY_REQUESTED : plan_part_of(reason),
                             parent == NOBODY ? NULL : g->nodes[parent].name, config,
                             reason == PLAN_REQUESTED);
        if (r <= 0)
                return r;

        g->nodes[i].state = NODE_WALKING;
        if (m) {
                r = dependency_parents(m, &parents);
                if (r < 0)
                        return r;
        }
        for (size_t k = 0; m && k < m->n_dependencies; k++) {
                r = plan_graph_get_dependency(g, m, k, &d);
                if (r < 0)
                        return r;
                if (d == i || g->nodes[d].state == NODE_PLACED) /* itself: modules.dep is broken */
                        continue;
                if (parents[k] != DEPENDENCY_OF_MODULE) {
                        r = plan_graph_get_dependency(g, m, parents[k], &nearer);
                        if (r < 0)
                                return r;
                        g->nodes[d].nearer = nearer;
                }
                r = place_one(g, d, PLAN_DEPENDENCY, i, depth);
                if (r < 0)
                        return r;
        }

        r = place_one(g, i, reason, parent, depth);
        return r < 0 ? r : 1;
}

/* Places what was postponed, now that nothing is in progress. This may postpone more. */
static int place_later(PlanGraph *g) {
        int r;

        for (size_t k = 0; k < g->later.n_items; k++) {
                Target t = g->later.items[k];

                r = place(g, t.node, t.post ? PLAN_SOFTDEP_POST : PLAN_SOFTDEP_PRE, t.parent, t.config, 0);
                if (r < 0)
                        return r;
        }

        g->later.n_items = 0;
        return 0;
}

/* ---------------------------------------------------------------------------------------------- requests */

/* The modules that the key matches, without duplicates. */
static int find_requested(PlanGraph *g, TargetList *ret) {
        const IndexMatch *matches;
        size_t n;
        int r;

        r = plan_graph_look_up(g, g->request->key, &matches, &n);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n; i++) {
                size_t known = g->n_nodes;
                Target t = { .parent = NOBODY };

                r = plan_graph_get_match(g, &matches[i], &t.node);
                if (r < 0)
                        return r;
                if (t.node < known)
                        continue;

                g->plan->n_matches++;
                g->nodes[t.node].requested = true;
                g->nodes[t.node].by_alias = matches[i].alias;
                r = target_list_add(ret, &t);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Removes what the policy denies, which may still be a dependency or softdep of another. */
static int drop_denied(PlanGraph *g, TargetList *requested) {
        size_t kept = 0;
        int r;

        for (size_t i = 0; i < requested->n_items; i++) {
                size_t n = requested->items[i].node;

                r = plan_judge_alone(g, n, POLICY_REQUESTED);
                if (r < 0)
                        return r;
                if (g->nodes[n].judgement[POLICY_REQUESTED] != DENIED) {
                        requested->items[kept++] = requested->items[i];
                        continue;
                }
                g->nodes[n].requested = false;
                r = plan_judge_omit_denied(g, n, POLICY_REQUESTED, NULL, /* candidate= */ true);
                if (r < 0)
                        return r;
        }

        requested->n_items = kept;
        return 0;
}

static size_t rank_of(const PolicyRule *rule, const char *module) {
        for (size_t i = 0; i < rule->n_prefer; i++)
                if (streq(rule->prefer[i], module))
                        return i;
        return SIZE_MAX;
}

/* Return: 1, with the index in @requested of the preferred candidate that can be loaded; 0: none; -ENOMEM. */
static int find_preferred(PlanGraph *g, const TargetList *requested, const PolicyRule *rule, size_t *ret) {
        size_t best = SIZE_MAX;
        int r;

        for (size_t i = 0; i < requested->n_items; i++) {
                const Node *n = &g->nodes[requested->items[i].node];
                size_t rank = rank_of(rule, n->name);

                if (rank >= best)
                        continue;
                r = plan_judge_node(g, requested->items[i].node, POLICY_REQUESTED, NULL, NULL, true);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;       /* its omission has been added */
                best = rank;
                *ret = i;
        }

        return best != SIZE_MAX;
}

/*
 * Of the candidates that a rule lists, the first that can be loaded stays; others than those listed stay as well.
 */
static int apply_preference(PlanGraph *g, TargetList *requested) {
        const PolicyRule *rule = requested->n_items > 1 ? plan_rules_find_preference(g) : NULL;
        size_t preferred = 0, kept = 0;
        PolicyRuling ruling;
        int r;

        if (!rule)
                return 0;
        r = find_preferred(g, requested, rule, &preferred);
        if (r <= 0)
                return r;

        ruling = policy_ruling_of(rule);
        for (size_t i = 0; i < requested->n_items; i++) {
                size_t n = requested->items[i].node;

                if (i == preferred || rank_of(rule, g->nodes[n].name) == SIZE_MAX) {
                        requested->items[kept++] = requested->items[i];
                        continue;
                }
                g->nodes[n].requested = false;
                r = plan_graph_omit(g, PLAN_NOT_PREFERRED, g->nodes[n].name, NULL, &ruling, true);
                if (r < 0)
                        return r;
        }

        requested->n_items = kept;
        return 0;
}

/* Sets steps, omissions and n_matches. Return: as plan_new(). */
static int build(Plan *plan, const Index *index, const PlanRequest *request) {
        _cleanup_(plan_graph_clear) PlanGraph g = { .plan = plan, .index = index, .request = request };
        _cleanup_(target_list_clear) TargetList requested = {};
        int r;

        r = name_table_new(&g.names);
        if (r < 0)
                return r;
        r = name_table_new(&g.omitted);
        if (r < 0)
                return r;
        r = find_requested(&g, &requested);
        if (r < 0)
                return r;
        r = drop_denied(&g, &requested);
        if (r < 0)
                return r;
        r = apply_preference(&g, &requested);
        if (r < 0)
                return r;

        for (size_t i = 0; i < requested.n_items; i++) {
                r = place(&g, requested.items[i].node, PLAN_REQUESTED, NOBODY, NULL, 0);
                if (r < 0)
                        return r;
                r = place_later(&g);
                if (r < 0)
                        return r;
        }

        r = plan_edges_draw(&g);
        return r < 0 ? r : plan_faults_foretell(&g);
}

/**
 * plan_new() - make the plan of a request
 * @index:   borrowed for the call
 * @request: borrowed for the call
 *
 * The policy judges every module (policy_judge()); an install line that only denies (see command_is_denial()) is
 * part of that and leaves out its module on every path, even with ignore_install. A module that needs a denied
 * module is left out as well. Other install lines run instead of their module, also beside softdeps; what they do
 * is not part of the plan.
 *
 * The plan checks whether the files exist, but not what is in the kernel already. With finds_faults it has the same
 * steps; those that will fail because of their files are marked.
 *
 * Return: 0, also if the key matches nothing (n_matches is 0) and if everything was left out;
 * -ENAMETOOLONG: longer than REQUEST_KEY_MAX; -ENOMEM.
 */
int plan_new(Plan **ret, const Index *index, const PlanRequest *request) {
        _cleanup_(plan_freep) Plan *p = NULL;
        int r;

        assert(ret && index && request && request->key);

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->mode = request->mode;
        p->key = strdup(request->key);
        if (!p->key)
                return -ENOMEM;

        r = build(p, index, request);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(p);
        return 0;
}
