/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PlanFaults: a load finds out that a file is of no use when it comes to it, as modprobe does: what the module needs
 * is loaded by then. So a plan keeps all of its steps; those that will fail are marked, and have omissions that say
 * why. A missing file is another matter, for plans and for loads: see plan-judge.c. Owns nothing.
 */

#include "common/plan/plan-faults.h"

#include <assert.h>

/**
 * plan_faults_look() - look at the file of a module, and keep what is wrong with it in the node
 *
 * kmod asks neither who could have written a file nor where it lies.
 *
 * Return: 0; -ENOMEM.
 */
int plan_faults_look(PlanGraph *g, size_t node) {
        const PlanRequest *request = g->request;
        Node *n = &g->nodes[node];
        int r;

        assert(request->files && n->module && n->module->path);

        module_fault_clear(&n->fault);
        r = file_facts_check(request->files, n->module->path, request->file_effort, &n->fault);
        if (r >= 0 && request->by_modprobe && module_fault_is_of_loader(n->fault.kind))
                module_fault_clear(&n->fault);
        return r;
}

static const ModuleFault *fault_of(const PlanGraph *g, size_t step) {
        const ModuleFault *fault = &g->nodes[g->step_nodes[step]].fault;

        return g->plan->steps[step].action == PLAN_INSERT && fault->kind != MODULE_HAS_NO_FAULT ? fault
                                                                                                : NULL;
}

static bool needs(const PlanStep *step, size_t other) {
        for (size_t i = 0; i < step->n_after; i++)
                if (step->after[i].required && step->after[i].step == other)
                        return true;
        return false;
}

/* Edges lead to earlier steps only: one pass is enough. */
static void mark(PlanGraph *g) {
        Plan *p = g->plan;

        for (size_t i = 0; i < p->n_steps; i++) {
                PlanStep *s = p->steps + i;

                s->fails = fault_of(g, i);
                s->unknown = s->action == PLAN_INSERT ? g->nodes[g->step_nodes[i]].fault.unknown : 0;
                for (size_t k = 0; k < s->n_after; k++)
                        s->fails |= s->after[k].required && p->steps[s->after[k].step].fails;
        }
}

/* Adds the omission of a step that fails. */
static int omit(PlanGraph *g, size_t step, const char *wanted_by) {
        const ModuleFault *fault = fault_of(g, step);
        PolicyRuling ruling = { .source = _POLICY_SOURCE_INVALID };
        _cleanup_(freep) char *clause = NULL;
        size_t known = g->plan->n_omissions;
        int r;

        if (fault) {
                r = module_fault_clause(fault, &clause);
                if (r < 0)
                        return r;
                ruling.reason = clause;
        }
        r = plan_graph_omit(g, fault ? PLAN_FILE_UNUSABLE : PLAN_IMPOSSIBLE, g->plan->steps[step].module,
                            wanted_by, fault ? &ruling : NULL, /* candidate= */ false);
        if (r < 0 || g->plan->n_omissions == known)
                return r;
        g->plan->omissions[known].required = g->plan->steps[step].required;
        if (fault)
                g->plan->omissions[known].fault = fault->kind;
        return 0;
}

/* One omission for the request, or for each step that needs it, so that each of them can tell what it lacks. */
static int omit_for_all(PlanGraph *g, size_t step) {
        const Plan *p = g->plan;
        const PlanStep *s = p->steps + step;
        bool told = s->parent == SIZE_MAX;
        int r = told ? omit(g, step, NULL) : 0;

        for (size_t i = step + 1; r >= 0 && i < p->n_steps; i++)
                if (needs(p->steps + i, step)) {
                        told = true;
                        r = omit(g, step, p->steps[i].module);
                }
        return r < 0 || told ? r : omit(g, step, p->steps[s->parent].module);
}

/**
 * plan_faults_foretell() - mark the steps that will fail, and add omissions that say why
 *
 * After plan_edges_draw().
 *
 * Return: 0; -ENOMEM.
 */
int plan_faults_foretell(PlanGraph *g) {
        int r = 0;

        assert(g);

        if (!g->request->files || !g->request->finds_faults)
                return 0;
        mark(g);
        for (size_t i = 0; r >= 0 && i < g->plan->n_steps; i++)
                if (g->plan->steps[i].fails)
                        r = omit_for_all(g, i);
        return r;
}
