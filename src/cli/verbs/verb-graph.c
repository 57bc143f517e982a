/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* graph: the modules in the kernel and who uses whom, as trees, for Graphviz, or as a picture. */

#include <assert.h>

#include "cli/picture/graph-picture.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/table.h"
#include "cli/verbs/verbs.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/interface/interface.h"

/* ------------------------------------------------------------------------------------------------ trees */

#define DEPTH_MAX 64U                   /* of a tree; Linux's own modules come to 8 */

/* A tree under construction. */
typedef struct Tree {
        const ModuleGraph *g;
        Table *table;
        bool upwards;                   /* below each what uses it, rather than what it uses */
        bool *shown;                    /* of each node: it is in the table with all that is below it */
        size_t n_lines;
        unsigned depth;
} Tree;

static const char *reason_words(EdgeReason reason) {
        static const char *const words[_EDGE_REASON_MAX] = {
                [EDGE_DEPENDENCY] = "needed",
                [EDGE_SOFTDEP_PRE] = "wanted before",
                [EDGE_SOFTDEP_POST] = "wanted after",
        };

        return words[reason];
}

static size_t edge_upper(const Tree *t, const GraphEdge *e) {
        return t->upwards ? e->used : e->user;
}

static size_t edge_lower(const Tree *t, const GraphEdge *e) {
        return t->upwards ? e->user : e->used;
}

static bool has_branches(const Tree *t, size_t node) {
        for (size_t i = 0; i < t->g->n_edges; i++)
                if (edge_upper(t, t->g->edges + i) == node)
                        return true;
        return false;
}

/* @edge: NULL: the root of a tree */
static int write_cells(const Tree *t, size_t node, const GraphEdge *edge, bool repeated) {
        sd_json_variant *record = field_object(t->g->nodes[node].module, "loadedBy");
        FILE *f;
        int r;

        f = table_cell(t->table);
        if (f) {
                print_escaped(f, t->g->nodes[node].name);
                if (repeated)
                        (void) fputs(" (above)", f);
        }
        r = table_cell_end(t->table);
        if (r < 0)
                return r;
        f = table_cell(t->table);
        if (f && edge)
                (void) fputs(t->upwards && edge->reason == EDGE_DEPENDENCY ? "needs it"
                                                                           : reason_words(edge->reason),
                             f);
        r = table_cell_end(t->table);
        if (r < 0)
                return r;
        f = table_cell(t->table);
        if (f && record && !repeated)
                print_record_requester_short(f, record);
        else if (f && !repeated)
                (void) fputc('-', f);
        return table_cell_end(t->table);
}

/* A module with all below it, unless that is in the table already: no circle goes on for ever. */
static int add_branch(Tree *t, size_t node, const GraphEdge *edge, size_t above) {
        bool repeated = t->shown[node] && has_branches(t, node);
        size_t line = t->n_lines;
        int r;

        r = above == SIZE_MAX ? table_line(t->table) : table_line_below(t->table, above);
        if (r >= 0)
                r = write_cells(t, node, edge, repeated);
        if (r < 0)
                return r;
        t->n_lines++;
        if (repeated || t->depth >= DEPTH_MAX)
                return 0;
        t->shown[node] = true;
        t->depth++;
        for (size_t i = 0; i < t->g->n_edges; i++) {
                const GraphEdge *e = t->g->edges + i;

                if (edge_upper(t, e) != node)
                        continue;
                r = add_branch(t, edge_lower(t, e), e, line);
                if (r < 0)
                        return r;
        }
        t->depth--;
        return 0;
}

static bool is_used(const ModuleGraph *g, size_t node) {
        for (size_t i = 0; i < g->n_edges; i++)
                if (g->edges[i].used == node)
                        return true;
        return false;
}

/* @root: NO_NODE: all that nobody uses, and what is left after that, which is in circles */
static int print_tree(const Output *out, const ModuleGraph *g, size_t root, bool upwards) {
        static const Column columns[] = { { "MODULE", .tree = true },
                                          { "WHY" },
                                          { "REQUESTER", .wrap = true } };
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_(freep) bool *shown = calloc(g->n_nodes + 1, sizeof(*shown));
        Tree t = { .g = g, .upwards = upwards, .shown = shown };
        int r;

        if (!shown)
                return -ENOMEM;
        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;
        t.table = table;
        if (root != NO_NODE) {
                r = add_branch(&t, root, NULL, SIZE_MAX);
                return r < 0 ? r : table_print(table);
        }
        for (int circles = 0; circles < 2; circles++)
                for (size_t i = 0; i < g->n_nodes && r >= 0; i++)
                        if (circles ? !shown[i] : !is_used(g, i))
                                r = add_branch(&t, i, NULL, SIZE_MAX);
        return r < 0 ? r : table_print(table);
}

static int print_trees(const Output *out, const ModuleGraph *g, size_t centre) {
        int r;

        if (centre == NO_NODE)
                return print_tree(out, g, NO_NODE, false);
        printf("%sWhat it needs%s\n", output_tone(out, stdout, TONE_STRONG),
               output_tone(out, stdout, TONE_PLAIN));
        r = print_tree(out, g, centre, false);
        if (r < 0)
                return r;
        printf("\n%sWhat needs it%s\n", output_tone(out, stdout, TONE_STRONG),
               output_tone(out, stdout, TONE_PLAIN));
        return print_tree(out, g, centre, true);
}

/* ------------------------------------------------------------------------------------------------ JSON */

static int edges_to_json(const ModuleGraph *g, size_t node, bool upwards, sd_json_variant **ret) {
        int r = sd_json_variant_new_array(ret, NULL, 0);

        for (size_t i = 0; r >= 0 && i < g->n_edges; i++) {
                const GraphEdge *e = g->edges + i;

                if ((upwards ? e->used : e->user) == node && module_graph_shows(g, e))
                        r = sd_json_variant_append_arraybo(
                                ret,
                                SD_JSON_BUILD_PAIR_STRING("module",
                                                          g->nodes[upwards ? e->user : e->used].name),
                                SD_JSON_BUILD_PAIR_STRING("reason", edge_reason_to_string(e->reason)));
        }
        return r;
}

static int print_json(Output *out, const ModuleGraph *g) {
        int r;

        output_list_begin(out);
        for (size_t i = 0; i < g->n_nodes; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *uses = NULL, *users = NULL, *v = NULL;
                const char *origin = g->nodes[i].origin;

                if (!g->nodes[i].selected)
                        continue;
                r = edges_to_json(g, i, false, &uses);
                if (r >= 0)
                        r = edges_to_json(g, i, true, &users);
                if (r >= 0)
                        r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("module", g->nodes[i].name),
                                           SD_JSON_BUILD_PAIR_CONDITION(*origin != '\0', "origin",
                                                                        SD_JSON_BUILD_STRING(origin)),
                                           SD_JSON_BUILD_PAIR_VARIANT("uses", uses),
                                           SD_JSON_BUILD_PAIR_VARIANT("usedBy", users));
                if (r >= 0)
                        r = output_json(out, v);
                if (r < 0)
                        return r;
        }
        return output_list_end(out);
}

/* Return: 0; STATUS_NO_SUCH_MODULE, after reporting it; -ENOMEM. */
static int select_module(Run *run, ModuleGraph *g, const char *argument, size_t *ret) {
        char name[MODULE_NAME_MAX + 1];

        *ret = module_name_normalize(argument, name, sizeof(name)) < 0 ? NO_NODE
                                                                       : module_graph_find(g, name);
        if (*ret == NO_NODE)
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_MODULE, "lkmctl list",
                                         "no module '%s' is in the kernel", argument);
        return module_graph_select(g, *ret);
}

static int print_graph(Run *run, const ModuleGraph *g, size_t centre) {
        int r = 0;

        if (run->out.json != JSON_OFF)
                return print_json(&run->out, g);
        if (run->out.quiet)
                return STATUS_DONE;
        if (run->svg)
                r = graph_write_svg(stdout, g, centre, (SvgTheme) run->theme);
        else if (run->dot)
                graph_write_dot(stdout, g);
        else
                r = print_trees(&run->out, g, centre);
        return r < 0 ? r : output_flush();
}

int verb_graph(Run *run, char **args, unsigned n_args) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        _cleanup_(module_graph_freep) ModuleGraph *g = NULL;
        size_t centre = NO_NODE;
        int r;

        if (run->svg && run->dot)
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl help graph",
                                         "--svg and --dot exclude each other");
        if (run->svg && run->out.json == JSON_OFF && isatty(STDOUT_FILENO))
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl graph --svg > modules.svg",
                                         "a picture is not for a terminal, but for a file");
        r = client_call(run->client, "List", NULL, &hooks, &reply);
        if (r != 0)
                return r;
        if (!field_array(reply, "modules"))
                return failure_print(&run->out, CLIENT_ERROR_BAD_REPLY, NULL);
        r = module_graph_new(&g, field_array(reply, "modules"));
        if (r >= 0 && n_args > 0)
                r = select_module(run, g, args[0], &centre);
        return r != 0 ? r : print_graph(run, g, centre);
}
