/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PlanGraph: the nodes of a plan in progress, one for each module, and its omissions, each once. Owns the nodes,
 * borrows the plan, the index and the request.
 */

#include "common/plan/plan-graph.h"

#include <assert.h>

#include "common/index/lookup-cache.h"

void plan_graph_clear(PlanGraph *g) {
        name_table_free(g->names);
        name_table_free(g->omitted);
        string_arena_clear(&g->strings);
        index_answer_clear(&g->answer);
        for (size_t i = 0; i < g->n_nodes; i++)
                module_fault_clear(&g->nodes[i].fault);
        free(g->nodes);
        free(g->step_nodes);
        free(g->later.items);
        free(g->orders.items);
        free(g->omission_is_candidate);
}

int target_list_add(TargetList *l, const Target *t) {
        Target *items = reallocarray(l->items, l->n_items + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        l->items = items;
        l->items[l->n_items++] = *t;
        return 0;
}

void target_list_clear(TargetList *l) {
        free(l->items);
}

/* ------------------------------------------------------------------------------------------------- nodes */

/**
 * plan_graph_look_up() - find the modules that a key matches
 * @ret: borrowed until the next look-up
 *
 * Return: as index_lookup().
 */
int plan_graph_look_up(PlanGraph *g, const char *key, const IndexMatch **ret, size_t *ret_n) {
        int r;

        if (g->request->cache)
                return lookup_cache_find(g->request->cache, g->index, key, ret, ret_n);

        r = index_lookup(g->index, key, &g->answer);
        if (r < 0)
                return r;
        *ret = g->answer.matches;
        *ret_n = g->answer.n_matches;
        return 0;
}

/**
 * plan_graph_get_node() - get the node of a module, or make it
 * @name:   normalised; valid as long as the index
 * @module: NULL: no such module
 *
 * Return: 0; -ENOMEM.
 */
int plan_graph_get_node(PlanGraph *g, const char *name, const IndexModule *module, size_t *ret) {
        Node *nodes;
        int r;

        if (name_table_find(g->names, name, ret))
                return 0;

        nodes = reallocarray(g->nodes, g->n_nodes + 1, sizeof(*nodes));
        if (!nodes)
                return -ENOMEM;
        g->nodes = nodes;
        r = name_table_add(g->names, name, g->n_nodes);
        if (r < 0)
                return r;

        g->nodes[g->n_nodes] = (Node) {
                .name = name,
                .module = module,
                .install = modprobe_config_find_command(index_get_config(g->index), CONFIG_INSTALL, name),
                .step = SIZE_MAX,
                .parent = NOBODY,
                .nearer = NOBODY,
        };
        *ret = g->n_nodes++;
        return 0;
}

/* Gets the node of the dependency number @i. */
int plan_graph_get_dependency(PlanGraph *g, const IndexModule *m, size_t i, size_t *ret) {
        return plan_graph_get_node(g, m->dependencies[i]->name, m->dependencies[i], ret);
}

/**
 * plan_graph_get_match() - get the node of one match, with the alias by which it was found
 * @m: what the next look-up invalidates is copied
 *
 * Return: 0; -ENOMEM.
 */
int plan_graph_get_match(PlanGraph *g, const IndexMatch *m, size_t *ret) {
        const char *key = NULL;
        Node *n;
        int r;

        r = plan_graph_get_node(g, m->name, m->module, ret);
        if (r < 0)
                return r;

        n = &g->nodes[*ret];
        if (n->state != NODE_FRESH || n->alias)
                return 0;
        if (m->option_key) {
                key = string_arena_add(&g->strings, m->option_key, strlen(m->option_key));
                if (!key)
                        return -ENOMEM;
        }
        n->option_key = key;
        n->alias = m->source == INDEX_SYMBOL ? key : m->alias;
        n->origin = m->config;
        if (m->source == INDEX_COMMAND && m->config->kind == CONFIG_INSTALL)
                n->install = m->config;
        return 0;
}

bool node_is_builtin(const Node *n) {
        return n->module && !n->module->path;
}

/* modprobe -i applies to requested modules only. */
bool plan_graph_ignores_install(const PlanGraph *g, const Node *n) {
        return n->requested && g->request->ignore_install;
}

/* --------------------------------------------------------------------------------------------- omissions */

/* Return: 1: it is new; 0: it is known, and may now concern a candidate; -ENOMEM. */
static int note_omission(PlanGraph *g, PlanOmissionKind kind, const char *module, const char *wanted_by,
                         bool candidate) {
        _cleanup_(freep) char *key = NULL;
        const char *kept;
        size_t known;
        int r;

        if (asprintf(&key, "%d %s %s", (int) kind, module, wanted_by ?: "") < 0) {
                key = NULL;
                return -ENOMEM;
        }
        if (name_table_find(g->omitted, key, &known)) {
                g->omission_is_candidate[known] |= candidate;
                return 0;
        }

        kept = string_arena_add(&g->strings, key, strlen(key));
        if (!kept)
                return -ENOMEM;
        r = name_table_add(g->omitted, kept, g->plan->n_omissions);
        return r < 0 ? r : 1;
}

/* A line of modprobe.d as a ruling without the policy. */
PolicyRuling ruling_of_line(const ConfigEntry *line) {
        return (PolicyRuling) { .source = _POLICY_SOURCE_INVALID, .file = line->file, .line = line->line };
}

/**
 * plan_graph_omit() - add an omission, unless there is the same one already
 * @ruling:    what decided; NULL: no rule or line
 * @candidate: it concerns a requested module
 *
 * Return: 0; -ENOMEM.
 */
int plan_graph_omit(PlanGraph *g, PlanOmissionKind kind, const char *module, const char *wanted_by,
                    const PolicyRuling *ruling, bool candidate) {
        _cleanup_(plan_omission_clear) PlanOmission o = {};
        Plan *p = g->plan;
        PlanOmission *omissions;
        bool *flags;
        int r;

        r = plan_omission_init(&o, kind, module, wanted_by);
        if (r >= 0)
                r = plan_ruling_set(&o.ruling, ruling);
        if (r < 0)
                return r;

        omissions = reallocarray(p->omissions, p->n_omissions + 1, sizeof(*omissions));
        if (!omissions)
                return -ENOMEM;
        p->omissions = omissions;
        flags = reallocarray(g->omission_is_candidate, p->n_omissions + 1, sizeof(*flags));
        if (!flags)
                return -ENOMEM;
        g->omission_is_candidate = flags;

        r = note_omission(g, kind, module, wanted_by, candidate);
        if (r <= 0)
                return r;
        g->omission_is_candidate[p->n_omissions] = candidate;
        p->omissions[p->n_omissions++] = o;
        o = (PlanOmission) {};
        return 0;
}
