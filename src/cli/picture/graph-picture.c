/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GraphPicture: layers from left to right, users on the left and what they use on the right of them; below, in rows,
 * what has nothing to do with the others. Boxes are opaque and drawn last, so no edge crosses a name. Owns nothing.
 */

#include "cli/picture/graph-picture.h"

#include <assert.h>
#include <errno.h>

#include "cli/picture/graph-layout.h"
#include "cli/picture/origin-colour.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/wrap.h"
#include "common/base/text.h"

#define MARGIN 16.0
#define WIDTH_MIN 1000.0
#define NAME_COLUMNS_MAX 24U            /* longer names are cut off, and whole in their title */
#define COLUMN_WIDTH 7.2                /* of a character */
#define BOX_HEIGHT 20.0
#define ROW_HEIGHT 27.0
#define LAYER_GAP_MIN 44.0
#define HEAD_HEIGHT 84.0
#define ALONE_HEAD 36.0

static const SvgColour graph_colours[] = {
        { ".edge",    "stroke", "#8793a0", "#717d89" },
        { ".tip",     "fill",   "#8793a0", "#717d89" },
        { ".box",     "fill",   "#f6f8fa", "#20262c" },
        { ".centre",  "fill",   "#fff3c4", "#4a3f12" },
};

typedef struct Sheet {
        FILE *f;
        const ModuleGraph *g;
        const GraphLayout *l;
        size_t centre;                  /* node; NO_NODE: none */
        double box_width, step;         /* of a box; from one layer to the next */
        double width, top, alone_top, height;
        size_t per_row;                 /* of what stands alone */
} Sheet;

static void measure(Sheet *s) {
        size_t columns = 8, rows;

        for (size_t i = 0; i < s->g->n_nodes; i++)
                if (s->g->nodes[i].selected)
                        columns = MAX(columns,
                                      MIN(wrap_columns(s->g->nodes[i].name), (size_t) NAME_COLUMNS_MAX));
        s->box_width = (double) columns * COLUMN_WIDTH + 12;
        s->step = s->box_width + LAYER_GAP_MIN;
        s->width = MAX(WIDTH_MIN, 2 * MARGIN + s->step * (double) s->l->n_layers - LAYER_GAP_MIN);
        if (s->l->n_layers > 1)
                s->step = (s->width - 2 * MARGIN - s->box_width) / (double) (s->l->n_layers - 1);
        s->per_row = (size_t) ((s->width - 2 * MARGIN + 10) / (s->box_width + 10));
        rows = (s->l->n_alone + s->per_row - 1) / s->per_row;

        s->top = HEAD_HEIGHT;
        s->alone_top = s->top + s->l->height * ROW_HEIGHT + (s->l->n_alone > 0 ? ALONE_HEAD : 0);
        s->height = s->alone_top + (double) rows * ROW_HEIGHT + MARGIN;
}

static double place_x(const Sheet *s, const LayoutPlace *p) {
        return MARGIN + s->step * (double) p->layer;
}

static double place_y(const Sheet *s, const LayoutPlace *p) {
        return s->top + p->y * ROW_HEIGHT;
}

static void write_edges(const Sheet *s) {
        for (size_t i = 0; i < s->l->n_pieces; i++) {
                const LayoutPiece *piece = s->l->pieces + i;
                const LayoutPlace *from = s->l->places + piece->from, *to = s->l->places + piece->to;
                double x1 = place_x(s, from) + s->box_width, x2 = place_x(s, to);
                double y1 = place_y(s, from), y2 = place_y(s, to), bend = (x2 - x1) / 2;
                bool tip = to->node != NO_NODE && !piece->backwards;

                if (from->layer == to->layer)
                        x2 += s->box_width;
                (void) fprintf(
                        s->f,
                        "<path class=\"edge\" fill=\"none\"%s d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"/>",
                        s->g->edges[piece->edge].reason == EDGE_DEPENDENCY ? ""
                                                                           : " stroke-dasharray=\"4 3\"",
                        x1, y1, x1 + bend, y1, x2 - bend, y2, tip ? x2 - 6 : x2, y2);
                if (to->node == NO_NODE)        /* it passes straight through the layer */
                        (void) fprintf(s->f, "<path class=\"edge\" fill=\"none\"%s d=\"M%.1f %.1fh%.1f\"/>",
                                       s->g->edges[piece->edge].reason == EDGE_DEPENDENCY ? "" : " stroke-dasharray=\"4 3\"",
                                       x2, y2, s->box_width);
                if (tip)
                        (void) fprintf(s->f, "<path class=\"tip\" d=\"M%.1f %.1fl-7 -3.5v7z\"/>", x2, y2);
                if (piece->backwards && from->node != NO_NODE)
                        (void) fprintf(s->f, "<path class=\"tip\" d=\"M%.1f %.1fl7 -3.5v7z\"/>", x1, y1);
                (void) fputc('\n', s->f);
        }
}

static void write_title(const Sheet *s, size_t node) {
        sd_json_variant *module = s->g->nodes[node].module, *record = field_object(module, "loadedBy");
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return;
        print_escaped(f, s->g->nodes[node].name);
        if (record) {
                (void) fputs(": ", f);
                print_record_requester(f, record);
        }
        if (field_elements(module, "holders") > 0) {
                (void) fputs("; used by ", f);
                print_strings(f, field_array(module, "holders"));
        }
        if (fclose(f) == 0)
                svg_title(s->f, text);
}

static void write_box(const Sheet *s, size_t node, double x, double y) {
        const OriginColour *colour = origin_colour_find(s->g->nodes[node].origin);

        (void) fputs("<g class=\"module\">", s->f);
        write_title(s, node);
        (void) fprintf(
                s->f,
                "<rect class=\"%s %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" rx=\"4\"/>",
                node == s->centre ? "centre" : "box", colour->line, x, y - BOX_HEIGHT / 2, s->box_width,
                BOX_HEIGHT);
        (void) fprintf(s->f,
                       "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"5\" height=\"%.0f\" rx=\"2\"/>",
                       colour->fill, x, y - BOX_HEIGHT / 2, BOX_HEIGHT);
        (void) fprintf(s->f, "<text%s x=\"%.1f\" y=\"%.1f\">", node == s->centre ? " class=\"strong\"" : "",
                       x + 9, y + 4);
        svg_escaped_short(s->f, s->g->nodes[node].name, NAME_COLUMNS_MAX);
        (void) fputs("</text></g>\n", s->f);
}

static void write_boxes(const Sheet *s) {
        size_t n = 0;

        if (s->l->n_alone > 0)
                svg_text(s->f, MARGIN, s->alone_top - 12, "strong",
                         s->l->n_alone < s->l->n_modules ? "Neither used by modules nor using any" : "");
        for (size_t i = 0; i < s->l->n_modules; i++) {
                const LayoutPlace *p = s->l->places + i;

                if (!p->alone) {
                        write_box(s, p->node, place_x(s, p), place_y(s, p));
                        continue;
                }
                write_box(s, p->node, MARGIN + (double) (n % s->per_row) * (s->box_width + 10),
                          s->alone_top + ROW_HEIGHT * (double) (n / s->per_row) + ROW_HEIGHT / 2);
                n++;
        }
}

static void write_head(const Sheet *s) {
        size_t n;
        const OriginColour *colours = origin_colours(&n);
        double x = MARGIN, y = 66;

        (void) fprintf(s->f, "<text class=\"head\" x=\"%.0f\" y=\"28\">", MARGIN);
        if (s->centre != NO_NODE) {
                svg_escaped(s->f, s->g->nodes[s->centre].name);
                (void) fputs(", what it needs and what needs it", s->f);
        } else
                (void) fputs("Modules in the kernel, and who uses whom", s->f);
        (void) fprintf(
                s->f,
                "</text>\n<text class=\"dim\" x=\"%.0f\" y=\"46\">%zu module%s. An arrow leads to what is used; "
                "a dashed one was a softdep.</text>\n",
                MARGIN, s->l->n_modules, s->l->n_modules == 1 ? "" : "s");
        svg_text(s->f, x, y, "small", "Wanted by:");
        x += svg_text_width("Wanted by:", 10.5) + 8;
        for (size_t i = 0; i < n; i++) {
                bool used = false;

                for (size_t k = 0; k < s->g->n_nodes && !used; k++)
                        used = s->g->nodes[k].selected &&
                               origin_colour_find(s->g->nodes[k].origin) == colours + i;
                if (!used)
                        continue;
                (void) fprintf(
                        s->f,
                        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"9\" rx=\"2\"/>",
                        colours[i].fill, x, y - 8);
                svg_text(s->f, x + 19, y, "small", colours[i].words);
                x += 19 + svg_text_width(colours[i].words, 10.5) + 12;
        }
}

/**
 * graph_write_svg() - the picture
 * @centre: the node that it is about; NO_NODE: none
 *
 * Return: 0; -ENOMEM. What @f says is up to the caller.
 */
int graph_write_svg(FILE *f, const ModuleGraph *g, size_t centre, SvgTheme theme) {
        _cleanup_(graph_layout_freep) GraphLayout *l = NULL;
        _cleanup_(freep) SvgColour *colours = NULL;
        Sheet s = { .f = f, .g = g, .centre = centre };
        size_t n_colours;
        int r;

        assert(f && g);

        r = origin_colour_rules(graph_colours, ARRAY_LEN(graph_colours), &colours, &n_colours);
        if (r >= 0)
                r = graph_layout_new(&l, g);
        if (r < 0)
                return r;
        s.l = l;
        measure(&s);
        svg_begin(f, s.width, s.height, theme, colours, n_colours);
        write_head(&s);
        write_edges(&s);
        write_boxes(&s);
        svg_end(f);
        return 0;
}

/* A string of the language, https://graphviz.org/doc/info/lang.html, without control characters. */
static void write_quoted(FILE *f, const char *text) {
        _cleanup_(freep) char *escaped = NULL;

        (void) fputc('"', f);
        if (text_escape(text, &escaped) >= 0)
                for (const char *p = escaped; *p; p++) {
                        if (*p == '"' || *p == '\\')
                                (void) fputc('\\', f);
                        (void) fputc(*p, f);
                }
        (void) fputc('"', f);
}

/* The same for dot(1) and its like. */
void graph_write_dot(FILE *f, const ModuleGraph *g) {
        assert(f && g);

        (void) fputs(
                "digraph modules {\n\trankdir=LR;\n\tnode [shape=box, style=rounded, fontname=\"sans-serif\"];\n",
                f);
        for (size_t i = 0; i < g->n_nodes; i++) {
                const GraphNode *n = g->nodes + i;
                const OriginColour *colour = origin_colour_find(n->origin);

                if (!n->selected)
                        continue;
                (void) fputc('\t', f);
                write_quoted(f, n->name);
                (void) fprintf(f, " [color=\"%s\", tooltip=\"%s\"];\n", colour->fill_rule.light,
                               colour->words);
        }
        for (size_t i = 0; i < g->n_edges; i++) {
                if (!module_graph_shows(g, g->edges + i))
                        continue;
                (void) fputc('\t', f);
                write_quoted(f, g->nodes[g->edges[i].user].name);
                (void) fputs(" -> ", f);
                write_quoted(f, g->nodes[g->edges[i].used].name);
                (void) fputs(g->edges[i].reason == EDGE_DEPENDENCY ? ";\n"
                                                                   : " [style=dashed, label=\"softdep\"];\n",
                             f);
        }
        (void) fputs("}\n", f);
}
