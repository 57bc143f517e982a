/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/picture/graph-layout.h"
#include "common/base/util.h"

#define EPSILON 0.0001

static double height_of(const LayoutPlace *p) {
        return p->node == NO_NODE ? 0.35 : 1;
}

/* What every layout promises: nothing overlaps, pieces lead one layer on, and each edge leads all of the way. */
static void check(const ModuleGraph *g, const GraphLayout *l) {
        for (size_t i = 0; i < l->n_places; i++) {
                const LayoutPlace *p = l->places + i;

                if (p->alone)
                        continue;
                assert_true(p->layer < l->n_layers);
                assert_true(p->y - height_of(p) / 2 > -EPSILON &&
                            p->y + height_of(p) / 2 < l->height + EPSILON);
                for (size_t k = 0; k < i; k++) {
                        const LayoutPlace *q = l->places + k;
                        double apart = p->y > q->y ? p->y - q->y : q->y - p->y;

                        if (!q->alone && q->layer == p->layer)
                                assert_true(apart > (height_of(p) + height_of(q)) / 2 - EPSILON);
                }
        }
        for (size_t i = 0; i < l->n_pieces; i++) {
                const LayoutPlace *from = l->places + l->pieces[i].from, *to = l->places + l->pieces[i].to;

                assert_true(to->layer == from->layer + 1 ||
                            (to->layer == from->layer && from->node != NO_NODE));
        }
        for (size_t e = 0; e < g->n_edges; e++) {
                size_t n = 0, ends = 0;

                for (size_t i = 0; i < l->n_pieces; i++)
                        if (l->pieces[i].edge == e) {
                                n++;
                                ends += l->places[l->pieces[i].from].node != NO_NODE;
                                ends += l->places[l->pieces[i].to].node != NO_NODE;
                        }
                assert_true(n == 0 ? !module_graph_shows(g, g->edges + e) : ends == 2);
        }
}

static sd_json_variant *parse(const char *text) {
        sd_json_variant *v = NULL;

        assert_ok(sd_json_parse(text, 0, &v, NULL, NULL));
        return v;
}

static size_t layer_of(const ModuleGraph *g, const GraphLayout *l, const char *name) {
        for (size_t i = 0; i < l->n_modules; i++)
                if (streq(g->nodes[l->places[i].node].name, name))
                        return l->places[i].layer;
        fail_msg("%s has no place", name);
        return 0;
}

static void test_layers(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = parse(
                "[{\"name\":\"top\",\"holders\":[]},{\"name\":\"mid\",\"holders\":[\"top\"]},"
                "{\"name\":\"base\",\"holders\":[\"mid\",\"top\",\"not there\"]},{\"name\":\"alone\"},{},"
                "{\"name\":\"soft\",\"loadedBy\":{\"reason\":\"softdep_pre\",\"parent\":\"top\"}},"
                "{\"name\":\"self\",\"holders\":[\"self\",7,null]}]");
        _cleanup_(module_graph_freep) ModuleGraph *g = NULL;
        _cleanup_(graph_layout_freep) GraphLayout *l = NULL;

        assert_ok(module_graph_new(&g, v));
        assert_int_equal(g->n_nodes, 6);
        assert_int_equal(g->n_edges, 4);
        assert_ok(graph_layout_new(&l, g));
        check(g, l);
        assert_int_equal(l->n_layers, 3);
        assert_int_equal(l->n_alone, 2);
        assert_int_equal(layer_of(g, l, "top"), 0);
        assert_int_equal(layer_of(g, l, "mid"), 1);
        assert_int_equal(layer_of(g, l, "soft"), 1);
        assert_int_equal(layer_of(g, l, "base"), 2);
        assert_int_equal(l->n_places, 7);       /* one for the edge from top to base */
}

static void test_part(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = parse(
                "[{\"name\":\"a\"},{\"name\":\"b\",\"holders\":[\"a\"]},{\"name\":\"c\",\"holders\":[\"b\",\"x\"]},"
                "{\"name\":\"x\"},{\"name\":\"y\",\"holders\":[\"x\"]}]");
        _cleanup_(module_graph_freep) ModuleGraph *g = NULL;
        _cleanup_(graph_layout_freep) GraphLayout *l = NULL;

        assert_ok(module_graph_new(&g, v));
        assert_ok(module_graph_select(g, module_graph_find(g, "b")));
        assert_ok(graph_layout_new(&l, g));
        check(g, l);
        assert_int_equal(l->n_modules, 3);      /* not x: it is neither needed by b nor needs it */
        assert_int_equal(module_graph_find(g, "nothing"), NO_NODE);
}

static void test_circles(void **state) {
        static const char *const cases[] = {
                "[]",
                "[{\"name\":\"a\",\"holders\":[\"b\"]},{\"name\":\"b\",\"holders\":[\"a\"]}]",
                "[{\"name\":\"a\",\"holders\":[\"c\"]},{\"name\":\"b\",\"holders\":[\"a\"]},{\"name\":\"c\",\"holders\":[\"b\"]}]",
                ("[{\"name\":\"a\",\"holders\":[\"b\",\"c\",\"d\"]},{\"name\":\"b\",\"holders\":[\"a\",\"c\",\"d\"]},"
                 "{\"name\":\"c\",\"holders\":[\"a\",\"b\",\"d\"]},{\"name\":\"d\",\"holders\":[\"a\",\"b\",\"c\"]}]"),
                "[{\"name\":\"a\",\"holders\":[\"b\"]},{\"name\":\"a\",\"holders\":[\"b\"]},{\"name\":\"b\"}]",
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = parse(cases[i]);
                _cleanup_(module_graph_freep) ModuleGraph *g = NULL;
                _cleanup_(graph_layout_freep) GraphLayout *l = NULL;

                assert_ok(module_graph_new(&g, v));
                assert_ok(graph_layout_new(&l, g));
                check(g, l);
        }
}

/* Random graphs without circles: an edge always leads to a higher layer. */
static void test_any_graph(void **state) {
        uint64_t seed = 1;

        for (int round = 0; round < 60; round++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                _cleanup_(module_graph_freep) ModuleGraph *g = NULL;
                _cleanup_(graph_layout_freep) GraphLayout *l = NULL;
                size_t n = 2 + (size_t) round;

                assert_ok(sd_json_variant_new_array(&v, NULL, 0));
                for (size_t i = 0; i < n; i++) {
                        _cleanup_(sd_json_variant_unrefp) sd_json_variant *holders = NULL;
                        char name[16];

                        assert_ok(sd_json_variant_new_array(&holders, NULL, 0));
                        for (size_t k = 0; k < i; k++) {
                                seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
                                if (seed >> 60 != 0)
                                        continue;
                                (void) snprintf(name, sizeof(name), "m%zu", k);
                                assert_ok(
                                        sd_json_variant_append_arrayb(&holders, SD_JSON_BUILD_STRING(name)));
                        }
                        (void) snprintf(name, sizeof(name), "m%zu", i);
                        assert_ok(sd_json_variant_append_arraybo(
                                &v, SD_JSON_BUILD_PAIR_STRING("name", name),
                                SD_JSON_BUILD_PAIR_VARIANT("holders", holders)));
                }
                assert_ok(module_graph_new(&g, v));
                assert_ok(graph_layout_new(&l, g));
                check(g, l);
                for (size_t i = 0; i < l->n_pieces; i++) {
                        assert_false(l->pieces[i].backwards);
                        assert_int_equal(l->places[l->pieces[i].to].layer,
                                         l->places[l->pieces[i].from].layer + 1);
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_layers),
                cmocka_unit_test(test_part),
                cmocka_unit_test(test_circles),
                cmocka_unit_test(test_any_graph),
        };

        return RUN_TESTS(tests);
}
