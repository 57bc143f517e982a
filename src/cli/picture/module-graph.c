/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleGraph: made of the reply of the method List. Users are those that the kernel names; softdeps are known where
 * they were the reason for a load. Borrows the reply, owns its arrays. Nothing relies on there being no circles.
 */

#include "cli/picture/module-graph.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "cli/print/fields.h"
#include "common/base/array.h"

const char *edge_reason_to_string(EdgeReason reason) {
        static const char *const names[_EDGE_REASON_MAX] = {
                [EDGE_DEPENDENCY] = "dependency",
                [EDGE_SOFTDEP_PRE] = "softdep_pre",
                [EDGE_SOFTDEP_POST] = "softdep_post",
        };

        assert(reason < _EDGE_REASON_MAX);
        return names[reason];
}

static int compare_nodes(const void *a, const void *b) {
        return strcmp(((const GraphNode *) a)->name, ((const GraphNode *) b)->name);
}

static int compare_edges(const void *a, const void *b) {
        const GraphEdge *x = a, *y = b;

        if (x->user != y->user)
                return x->user < y->user ? -1 : 1;
        if (x->used != y->used)
                return x->used < y->used ? -1 : 1;
        return (int) x->reason - (int) y->reason;
}

static int add_edge(ModuleGraph *g, size_t user, size_t used, EdgeReason reason) {
        int r;

        if (user == NO_NODE || used == NO_NODE || user == used)
                return 0;
        r = array_reserve(&g->edges, &g->edges_allocated, g->n_edges + 1, sizeof(*g->edges));
        if (r < 0)
                return r;
        g->edges[g->n_edges++] = (GraphEdge) { user, used, reason };
        return 0;
}

static int add_nodes(ModuleGraph *g, sd_json_variant *modules) {
        g->nodes = calloc(sd_json_variant_elements(modules) + 1, sizeof(*g->nodes));
        if (!g->nodes)
                return -ENOMEM;
        ARRAY_FOREACH_INDEX(modules, i) {
                sd_json_variant *module = sd_json_variant_by_index(modules, i);
                sd_json_variant *requester = field_object(field_object(module, "loadedBy"), "requester");

                if (field_string(module, "name"))
                        g->nodes[g->n_nodes++] = (GraphNode) { field_string(module, "name"),
                                                               field_string(requester, "origin") ?: "",
                                                               module, true };
        }
        qsort(g->nodes, g->n_nodes, sizeof(*g->nodes), compare_nodes);
        return 0;
}

static int add_edges_of(ModuleGraph *g, size_t node) {
        sd_json_variant *holders = field_array(g->nodes[node].module, "holders");
        sd_json_variant *record = field_object(g->nodes[node].module, "loadedBy");
        const char *reason = field_string(record, "reason"), *parent = field_string(record, "parent");
        int r = 0;

        ARRAY_FOREACH_INDEX(holders, i) {
                sd_json_variant *holder = sd_json_variant_by_index(holders, i);

                if (sd_json_variant_is_string(holder))
                        r = add_edge(g, module_graph_find(g, sd_json_variant_string(holder)), node,
                                     EDGE_DEPENDENCY);
                if (r < 0)
                        return r;
        }
        for (EdgeReason e = EDGE_SOFTDEP_PRE; parent && e < _EDGE_REASON_MAX; e++)
                if (streq_ptr(reason, edge_reason_to_string(e)))
                        return add_edge(g, module_graph_find(g, parent), node, e);
        return 0;
}

/* A pair has one edge: the kernel's word counts more than a softdep. */
static void remove_doubles(ModuleGraph *g) {
        size_t n = 0;

        for (size_t i = 0; i < g->n_edges; i++)
                if (n == 0 || g->edges[n - 1].user != g->edges[i].user ||
                    g->edges[n - 1].used != g->edges[i].used)
                        g->edges[n++] = g->edges[i];
        g->n_edges = n;
}

/**
 * module_graph_new() - who uses whom
 * @modules: the array of the reply of List; borrowed for as long as the graph lives
 *
 * All nodes are selected.
 *
 * Return: 0; -ENOMEM.
 */
int module_graph_new(ModuleGraph **ret, sd_json_variant *modules) {
        _cleanup_(module_graph_freep) ModuleGraph *g = NULL;
        int r;

        assert(ret && modules);

        g = calloc(1, sizeof(*g));
        if (!g)
                return -ENOMEM;
        r = add_nodes(g, modules);
        for (size_t i = 0; r >= 0 && i < g->n_nodes; i++)
                r = add_edges_of(g, i);
        if (r < 0)
                return r;
        if (g->n_edges > 0)
                qsort(g->edges, g->n_edges, sizeof(*g->edges), compare_edges);
        remove_doubles(g);
        *ret = STEAL_PTR(g);
        return 0;
}

/* Return: NULL. */
ModuleGraph *module_graph_free(ModuleGraph *g) {
        if (!g)
                return NULL;

        free(g->nodes);
        free(g->edges);
        free(g);
        return NULL;
}

/* The node of a name, as the kernel has it; NO_NODE: it is not in the kernel. */
size_t module_graph_find(const ModuleGraph *g, const char *name) {
        const GraphNode wanted = { .name = name }, *found;

        assert(g && name);

        found = bsearch(&wanted, g->nodes, g->n_nodes, sizeof(*g->nodes), compare_nodes);
        return found ? (size_t) (found - g->nodes) : NO_NODE;
}

/* Selects all that is reached from a node, one way or the other. @found: an entry a node */
static void reach(const ModuleGraph *g, bool *found, size_t node, bool downwards) {
        bool more = true;

        found[node] = true;
        while (more) {
                more = false;
                for (size_t i = 0; i < g->n_edges; i++) {
                        size_t from = downwards ? g->edges[i].user : g->edges[i].used;
                        size_t to = downwards ? g->edges[i].used : g->edges[i].user;

                        if (found[from] && !found[to])
                                found[to] = more = true;
                }
        }
}

/**
 * module_graph_select() - only what a module needs, and what needs it
 *
 * Return: 0; -ENOMEM.
 */
int module_graph_select(ModuleGraph *g, size_t node) {
        _cleanup_(freep) bool *needed = NULL, *users = NULL;

        assert(g && node < g->n_nodes);

        needed = calloc(g->n_nodes, sizeof(*needed));
        users = calloc(g->n_nodes, sizeof(*users));
        if (!needed || !users)
                return -ENOMEM;
        reach(g, needed, node, true);
        reach(g, users, node, false);
        for (size_t i = 0; i < g->n_nodes; i++)
                g->nodes[i].selected = needed[i] || users[i];
        return 0;
}

/* Is an edge part of the picture? */
bool module_graph_shows(const ModuleGraph *g, const GraphEdge *e) {
        assert(g && e);

        return g->nodes[e->user].selected && g->nodes[e->used].selected;
}
