/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GraphLayout: the usual way to draw a graph in layers (Sugiyama, Tagawa and Toda, 1981). The layer of a module is
 * the length of the longest path to it from one that nobody uses. An edge across several layers gets a place in
 * each, so that it crosses no module. Within the layers, each place moves to the mean of its neighbours, a few
 * times there and back. Modules without edges have no place in it, and are only counted. Owns its arrays.
 */

#include "cli/picture/graph-layout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/array.h"

#define SWEEPS 12U                      /* over all layers, there and back; more change hardly anything */
#define BAND_MAX 0.3                    /* how far apart groups are that have nothing beside each other */
#define PASSING_HEIGHT 0.35             /* of an edge that passes, where a module has 1 */

/* Return: NULL. */
GraphLayout *graph_layout_free(GraphLayout *l) {
        if (!l)
                return NULL;

        free(l->places);
        free(l->pieces);
        free(l);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------ layers */

/* A graph, with the place of each node. */
typedef struct Draft {
        GraphLayout *l;
        const ModuleGraph *g;
        size_t *place_of;               /* node to place; NO_NODE: not selected; owned */
} Draft;

static int add_place(GraphLayout *l, size_t node, size_t layer, size_t *ret) {
        int r;

        r = array_reserve(&l->places, &l->places_allocated, l->n_places + 1, sizeof(*l->places));
        if (r < 0)
                return r;
        l->places[l->n_places] = (LayoutPlace) { .node = node, .layer = layer };
        *ret = l->n_places++;
        return 0;
}

static int add_piece(GraphLayout *l, LayoutPiece piece) {
        int r;

        r = array_reserve(&l->pieces, &l->pieces_allocated, l->n_pieces + 1, sizeof(*l->pieces));
        if (r < 0)
                return r;
        l->pieces[l->n_pieces++] = piece;
        return 0;
}

static int place_nodes(Draft *d) {
        int r;

        d->place_of = calloc(d->g->n_nodes + 1, sizeof(*d->place_of));
        if (!d->place_of)
                return -ENOMEM;
        for (size_t i = 0; i < d->g->n_nodes; i++) {
                d->place_of[i] = NO_NODE;
                if (!d->g->nodes[i].selected)
                        continue;
                r = add_place(d->l, i, 0, d->place_of + i);
                if (r < 0)
                        return r;
                d->l->places[d->place_of[i]].alone = true;
        }
        d->l->n_modules = d->l->n_places;
        return 0;
}

/*
 * Longest paths, by pushing what is used below its users until nothing moves. There are as many rounds as modules at
 * most, unless there is a circle; what would go on for ever then stays where it is, and has edges backwards.
 */
static void assign_layers(Draft *d) {
        bool moved = true;

        for (size_t round = 0; moved && round < d->l->n_modules; round++) {
                moved = false;
                for (size_t i = 0; i < d->g->n_edges; i++) {
                        LayoutPlace *user, *used;

                        if (!module_graph_shows(d->g, d->g->edges + i))
                                continue;
                        user = d->l->places + d->place_of[d->g->edges[i].user];
                        used = d->l->places + d->place_of[d->g->edges[i].used];
                        user->alone = used->alone = false;
                        if (used->layer <= user->layer && user->layer + 1 < d->l->n_modules) {
                                used->layer = user->layer + 1;
                                moved = true;
                        }
                }
        }
}

/* Cuts an edge into pieces, with a place in each layer between. */
static int cut_edge(Draft *d, size_t edge) {
        size_t from = d->place_of[d->g->edges[edge].user], to = d->place_of[d->g->edges[edge].used];
        bool backwards = d->l->places[from].layer > d->l->places[to].layer;
        size_t last;
        int r;

        if (d->l->places[from].layer == d->l->places[to].layer) /* in a circle: they are neighbours */
                return add_piece(d->l, (LayoutPiece) { from, to, edge, false });
        if (backwards) {
                size_t other = from;

                from = to;
                to = other;
        }
        last = d->l->places[to].layer;
        for (size_t layer = d->l->places[from].layer + 1; layer < last; layer++) {
                size_t between;

                r = add_place(d->l, NO_NODE, layer, &between);
                if (r >= 0)
                        r = add_piece(d->l, (LayoutPiece) { from, between, edge, backwards });
                if (r < 0)
                        return r;
                from = between;
        }
        return add_piece(d->l, (LayoutPiece) { from, to, edge, backwards });
}

/* Layers without any place, which circles leave, are taken out. */
static int close_gaps(GraphLayout *l) {
        _cleanup_(freep) size_t *numbers = calloc(l->n_modules + 1, sizeof(*numbers));

        if (!numbers)
                return -ENOMEM;
        for (size_t i = 0; i < l->n_modules; i++)
                if (!l->places[i].alone)
                        numbers[l->places[i].layer] = 1;
        for (size_t i = 0; i < l->n_modules; i++)
                numbers[i] = numbers[i] > 0 ? l->n_layers++ : 0;
        for (size_t i = 0; i < l->n_modules; i++) {
                l->n_alone += l->places[i].alone;
                l->places[i].layer = l->places[i].alone ? 0 : numbers[l->places[i].layer];
        }
        return 0;
}

/* ------------------------------------------------------------------------------------------------ order */

static double height_of(const LayoutPlace *p) {
        return p->node == NO_NODE ? PASSING_HEIGHT : 1;
}

static bool is_in(const LayoutPlace *p, size_t layer) {
        return !p->alone && p->layer == layer;
}

/* The mean of the neighbours of a place on one side; where it is, if there are none. */
static double mean_of_neighbours(const GraphLayout *l, size_t place, bool before) {
        double sum = 0;
        size_t n = 0;

        for (size_t i = 0; i < l->n_pieces; i++) {
                size_t here = before ? l->pieces[i].to : l->pieces[i].from;
                size_t there = before ? l->pieces[i].from : l->pieces[i].to;

                if (here != place)
                        continue;
                sum += l->places[there].y;
                n++;
        }
        return n > 0 ? sum / (double) n : l->places[place].y;
}

typedef struct Wish {
        size_t place;
        double y;
        size_t position;                /* so far: equal wishes keep their order */
} Wish;

static int compare_wishes(const void *a, const void *b) {
        const Wish *x = a, *y = b;

        if (x->y < y->y || x->y > y->y)
                return x->y < y->y ? -1 : 1;
        return x->position < y->position ? -1 : 1;
}

/*
 * Puts the places of a layer as near as can be to where they want to be, in that order and without overlapping: first
 * each below the one before it, then all moved up or down by what they are off on the whole.
 */
static void settle_layer(GraphLayout *l, const Wish *wishes, size_t n) {
        double bottom = 0, off = 0, top;

        for (size_t i = 0; i < n; i++) {
                LayoutPlace *p = l->places + wishes[i].place;
                double half = height_of(p) / 2;

                p->y = i == 0 ? wishes[i].y : MAX(wishes[i].y, bottom + half);
                p->position = i;
                bottom = p->y + half;
                off += p->y - wishes[i].y;
        }
        if (n == 0)
                return;
        off /= (double) n;
        top = l->places[wishes[0].place].y - height_of(l->places + wishes[0].place) / 2;
        off = MIN(off, top);            /* not above the picture */
        for (size_t i = 0; i < n; i++)
                l->places[wishes[i].place].y -= off;
}

static void order_layer(GraphLayout *l, size_t layer, bool before, Wish *wishes) {
        size_t n = 0;

        for (size_t i = 0; i < l->n_places; i++)
                if (is_in(l->places + i, layer))
                        wishes[n++] = (Wish) { i, mean_of_neighbours(l, i, before), l->places[i].position };
        qsort(wishes, n, sizeof(*wishes), compare_wishes);
        settle_layer(l, wishes, n);
}

/* Before the first sweep: one below the other, in the order of the graph. */
static void stack_layers(GraphLayout *l) {
        for (size_t layer = 0; layer < l->n_layers; layer++) {
                double y = 0;
                size_t n = 0;

                for (size_t i = 0; i < l->n_places; i++) {
                        LayoutPlace *p = l->places + i;

                        if (!is_in(p, layer))
                                continue;
                        p->position = n++;
                        p->y = y + height_of(p) / 2;
                        y += height_of(p);
                }
        }
}

static int compare_tops(const void *a, const void *b) {
        const LayoutPlace *x = *(LayoutPlace *const *) a, *y = *(LayoutPlace *const *) b;
        double top_x = x->y - height_of(x) / 2, top_y = y->y - height_of(y) / 2;

        return top_x < top_y ? -1 : top_x > top_y;
}

/* Takes out what no layer needs: each place moves up by the empty bands above it, and all begins at 0. */
static int close_bands(GraphLayout *l) {
        _cleanup_(freep) LayoutPlace **sorted = calloc(l->n_places + 1, sizeof(*sorted));
        double off = 0;
        size_t n = 0;

        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < l->n_places; i++)
                if (!l->places[i].alone)
                        sorted[n++] = l->places + i;
        qsort(sorted, n, sizeof(*sorted), compare_tops);
        for (size_t i = 0; i < n; i++) {
                double half = height_of(sorted[i]) / 2, top = sorted[i]->y - half - off;

                if (i == 0)
                        off = top;
                else if (top > l->height + BAND_MAX)
                        off += top - l->height - BAND_MAX;
                sorted[i]->y -= off;
                l->height = MAX(l->height, sorted[i]->y + half);
        }
        return 0;
}

static int order_places(GraphLayout *l) {
        _cleanup_(freep) Wish *wishes = calloc(l->n_places + 1, sizeof(*wishes));

        if (!wishes)
                return -ENOMEM;
        stack_layers(l);
        for (unsigned sweep = 0; sweep < SWEEPS; sweep++)
                for (size_t k = 1; k < l->n_layers; k++)
                        if (sweep % 2 == 0)
                                order_layer(l, k, true, wishes);
                        else
                                order_layer(l, l->n_layers - 1 - k, false, wishes);
        return close_bands(l);
}

/**
 * graph_layout_new() - a place for each selected module of a graph
 *
 * Return: 0; -ENOMEM.
 */
int graph_layout_new(GraphLayout **ret, const ModuleGraph *g) {
        _cleanup_(graph_layout_freep) GraphLayout *l = NULL;
        Draft d = { .g = g };
        int r;

        assert(ret && g);

        d.l = l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        r = place_nodes(&d);
        if (r >= 0) {
                assign_layers(&d);
                r = close_gaps(l);
        }
        for (size_t i = 0; r >= 0 && i < g->n_edges; i++)
                if (module_graph_shows(g, g->edges + i))
                        r = cut_edge(&d, i);
        free(d.place_of);
        if (r >= 0)
                r = order_places(l);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(l);
        return 0;
}
