/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"

#define NO_NODE SIZE_MAX                /* the index of none */

typedef enum EdgeReason {
        EDGE_DEPENDENCY,                /* the kernel counts it among the users */
        EDGE_SOFTDEP_PRE,               /* it was loaded before, since modprobe.d or the module wants that */
        EDGE_SOFTDEP_POST,              /* likewise, after */
        _EDGE_REASON_MAX,
} EdgeReason;

typedef struct GraphNode {
        const char *name, *origin;      /* borrowed from the module */
        sd_json_variant *module;        /* Module of io.lkmd.Manager; borrowed */
        bool selected;                  /* part of the picture */
} GraphNode;

typedef struct GraphEdge {
        size_t user, used;              /* indexes of nodes */
        EdgeReason reason;
} GraphEdge;

/* ModuleGraph: the modules in the kernel, and who uses whom. */
typedef struct ModuleGraph {
        GraphNode *nodes;               /* by name */
        size_t n_nodes;
        GraphEdge *edges;               /* by user, then by what it uses */
        size_t n_edges, edges_allocated;
} ModuleGraph;

int module_graph_new(ModuleGraph **ret, sd_json_variant *modules);
ModuleGraph *module_graph_free(ModuleGraph *g);
DEFINE_CLEANUP(ModuleGraph, module_graph_free);

size_t module_graph_find(const ModuleGraph *g, const char *name);
int module_graph_select(ModuleGraph *g, size_t node);
bool module_graph_shows(const ModuleGraph *g, const GraphEdge *e);
const char *edge_reason_to_string(EdgeReason reason);
