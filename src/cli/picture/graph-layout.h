/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/picture/module-graph.h"

/* A place in the layout: of a module, or of an edge that passes a layer on its way. */
typedef struct LayoutPlace {
        size_t node;                    /* index in the graph; NO_NODE: an edge passes */
        size_t layer;                   /* 0: nobody uses it */
        size_t position;                /* within the layer, from 0 */
        double y;                       /* of the middle; one module is 1 high */
        bool alone;                     /* uses nothing and is used by nothing: it is in no layer */
} LayoutPlace;

/* A piece of an edge, between neighbouring layers. */
typedef struct LayoutPiece {
        size_t from, to;                /* places; @to is one layer further */
        size_t edge;                    /* index in the graph */
        bool backwards;                 /* part of a circle: it is drawn against its direction */
} LayoutPiece;

/* GraphLayout: a place for each selected module, in layers. */
typedef struct GraphLayout {
        LayoutPlace *places;            /* those of the selected nodes first, in the order of the graph */
        size_t n_places, places_allocated, n_modules;
        LayoutPiece *pieces;
        size_t n_pieces, pieces_allocated;
        size_t n_layers, n_alone;
        double height;                  /* of the highest layer */
} GraphLayout;

int graph_layout_new(GraphLayout **ret, const ModuleGraph *g);
GraphLayout *graph_layout_free(GraphLayout *l);
DEFINE_CLEANUP(GraphLayout, graph_layout_free);
