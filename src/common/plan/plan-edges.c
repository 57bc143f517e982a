/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PlanEdges: the last part of making a plan, when all steps are placed: the edges, parents and reasons of the
 * steps, and which are required.
 */

#include "common/plan/plan-edges.h"

#include <assert.h>

#include "common/index/dependency-parents.h"

static int add_edge(PlanStep *s, size_t to, bool required) {
        PlanEdge *after;

        for (size_t i = 0; i < s->n_after; i++)
                if (s->after[i].step == to) {
                        s->after[i].required |= required;
                        return 0;
                }

        after = reallocarray(s->after, s->n_after + 1, sizeof(*after));
        if (!after)
                return -ENOMEM;
        s->after = after;
        s->after[s->n_after++] = (PlanEdge) { .step = to, .required = required };
        return 0;
}

/* Only to direct dependencies: the rest follows. */
static int add_dependency_edges(PlanGraph *g, size_t step) {
        const IndexModule *m = g->nodes[g->step_nodes[step]].module;
        _cleanup_(freep) size_t *parents = NULL;
        size_t d;
        int r;

        if (!m)
                return 0;
        r = dependency_parents(m, &parents);
        if (r < 0)
                return r;

        for (size_t k = 0; k < m->n_dependencies; k++) {
                if (parents[k] != DEPENDENCY_OF_MODULE)
                        continue;
                r = plan_graph_get_dependency(g, m, k, &d);
                if (r < 0)
                        return r;
                if (g->nodes[d].step != SIZE_MAX && g->nodes[d].step < step) {
                        r = add_edge(&g->plan->steps[step], g->nodes[d].step, true);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

/* The order of softdeps, where it can be kept. */
static int add_order_edges(PlanGraph *g) {
        for (size_t i = 0; i < g->orders.n_items; i++) {
                const Target *t = &g->orders.items[i];
                size_t first = g->nodes[t->post ? t->parent : t->node].step;
                size_t second = g->nodes[t->post ? t->node : t->parent].step;
                int r;

                if (first == SIZE_MAX || second == SIZE_MAX || first >= second)
                        continue;
                r = add_edge(&g->plan->steps[second], first, false);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The step of a node, or of its nearest ancestor that has one: built-in modules have none. */
static size_t step_above(const PlanGraph *g, size_t n) {
        while (n != NOBODY && g->nodes[n].step == SIZE_MAX)
                n = g->nodes[n].parent;

        return n == NOBODY ? SIZE_MAX : g->nodes[n].step;
}

/*
 * A node is begun after its parent, so that parents form no cycle. @nearer may have been begun later, with a
 * broken modules.dep even as a descendant: it becomes the parent only if that makes no cycle.
 */
static void set_parents(PlanGraph *g) {
        Plan *p = g->plan;

        for (size_t i = 0; i < p->n_steps; i++)
                p->steps[i].parent = step_above(g, g->nodes[g->step_nodes[i]].parent);

        for (size_t i = 0; i < p->n_steps; i++) {
                size_t nearer = g->nodes[g->step_nodes[i]].nearer, up;

                if (nearer == NOBODY || p->steps[i].reason != PLAN_DEPENDENCY)
                        continue;
                nearer = up = g->nodes[nearer].step;
                while (up != SIZE_MAX && up != i)
                        up = p->steps[up].parent;
                if (up != i && nearer != SIZE_MAX)
                        p->steps[i].parent = nearer;
        }
}

static int add_edges(PlanGraph *g) {
        int r;

        for (size_t i = 0; i < g->plan->n_steps; i++) {
                r = add_dependency_edges(g, i);
                if (r < 0)
                        return r;
        }

        return add_order_edges(g);
}

/* Edges lead to earlier steps only: one pass from the last to the first is enough. */
static void set_required(Plan *p) {
        for (size_t i = p->n_steps; i-- > 0;) {
                PlanStep *s = &p->steps[i];

                s->required |= s->reason == PLAN_REQUESTED;
                for (size_t k = 0; s->required && k < s->n_after; k++)
                        if (s->after[k].required)
                                p->steps[s->after[k].step].required = true;
        }
}

/**
 * plan_edges_draw() - add edges, parents and reasons, once all steps are placed
 *
 * Return: 0; -ENOMEM.
 */
int plan_edges_draw(PlanGraph *g) {
        Plan *p = g->plan;
        bool hopeless = true;
        int r;

        for (size_t i = 0; i < p->n_steps; i++) {
                p->steps[i].reason = g->nodes[g->step_nodes[i]].reason;
                hopeless &= p->steps[i].reason != PLAN_REQUESTED;
        }
        for (size_t i = 0; i < p->n_omissions; i++)
                p->omissions[i].required = hopeless && g->omission_is_candidate[i] &&
                                           p->omissions[i].kind != PLAN_NOT_PREFERRED;

        set_parents(g);
        r = add_edges(g);
        if (r < 0)
                return r;
        set_required(p);
        return 0;
}
