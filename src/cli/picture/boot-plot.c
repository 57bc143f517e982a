/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * BootPlot: the names on the left, and beside each a bar on the scale of systemd-analyze's plot: the time in lkmd's
 * queue, until the module was usable, and until the asynchronous probes of all drivers were over. What is behind it is
 * drawn first, so that no line crosses a text. Owns nothing.
 */

#include "cli/picture/boot-plot.h"

#include <assert.h>
#include <inttypes.h>

#include "cli/picture/origin-colour.h"
#include "cli/picture/time-scale.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/wrap.h"
#include "common/base/clock.h"

#define WIDTH 1000.0
#define MARGIN 16.0
#define NAME_COLUMNS_MAX 26U            /* longer names are cut off, and whole in their title */
#define ROW_HEIGHT 17.0
#define BAR_HEIGHT 9.0
#define BAR_WIDTH_MIN 1.5
#define TIME_GAP 5.0                    /* between a bar and the time beside it */
#define HEAD_HEIGHT 122.0               /* title and legend */
#define AXIS_HEIGHT 24.0
#define FOOT_HEIGHT 40.0
#define MARKS_MAX 12U                   /* of the scale */
#define MARK_NAMES_MAX 40U              /* in the title of the mark of what was there before */

static const SvgColour plot_colours[] = {
        { ".grid",    "stroke", "#d5dae0", "#3a4149" },
        { ".stripe",  "fill",   "#f4f6f8", "#1d2227" },
        { ".queue",   "fill",   "#8a949e", "#7d8791" },
        { ".bad",     "fill",   "#c01c28", "#ff7b72" },
        { ".badline", "stroke", "#c01c28", "#ff7b72" },
        { ".slow",    "fill",   "#9a5b00", "#f5c451" },
        { ".arrow",   "stroke", "#7b8794", "#77828d" },
        { ".head-of-arrow", "fill", "#7b8794", "#77828d" },
        { ".mark",    "stroke", "#7d5ba6", "#c0a2e6" },
};

/* What is drawn, and where. */
typedef struct Canvas {
        FILE *f;
        const BootPlot *plot;
        TimeScale scale;
        size_t *rows;                   /* of each load; NO_LOAD: it has none, but is part of the mark; owned */
        size_t n_rows, n_before;
        double name_right;              /* where names end */
        double top, bottom;             /* of the rows */
} Canvas;

static double row_y(const Canvas *c, size_t row) {
        return c->top + ROW_HEIGHT * (double) row + ROW_HEIGHT / 2;
}

static const Load *nth(const Canvas *c, size_t i) {
        return c->plot->loads->items + i;
}

static void write_seconds(FILE *f, uint64_t usec, uint64_t step_usec) {
        int digits = 0;

        while (digits < 6 && step_usec % USEC_PER_SEC != 0) {
                step_usec = step_usec % USEC_PER_SEC * 10;
                digits++;
        }
        (void) fprintf(f, "%.*f s", digits, (double) usec / 1e6);
}

/* What is beside a bar: how long it took until the module was usable, or that it is not. */
static void write_note(FILE *f, const Load *load) {
        if (load->seen)
                (void) fputs("seen", f);
        else if (load->fate == LOAD_UNDER_WAY) {
                (void) fputs("under way for ", f);
                print_duration(f, load->took_usec);
        } else {
                print_duration(f, load->fate == LOAD_FAILED ? load->took_usec : load->live_after_usec);
                if (load->fate == LOAD_FAILED)
                        (void) fputs(" failed", f);
        }
        if (load->slow)
                (void) fputs(" slow", f);
}

/* Return: the caller's to free; NULL: no memory. */
static char *note_of(const Load *load) {
        char *note = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&note, &size);
        if (!f)
                return NULL;
        write_note(f, load);
        if (fclose(f) == 0)
                return note;
        free(note);
        return NULL;
}

/* Gives each load a row, but for what was in the kernel before lkmd, and leaves room beside the longest bar. */
static int lay_out(Canvas *c) {
        const Loads *loads = c->plot->loads;
        uint64_t first = UINT64_MAX;
        double note_width = 40;
        size_t columns = 6;

        c->rows = calloc(loads->n_items + 1, sizeof(*c->rows));
        if (!c->rows)
                return -ENOMEM;
        for (size_t i = 0; i < loads->n_items; i++) {
                const Load *load = loads->items + i;
                _cleanup_(freep) char *note = NULL;

                first = MIN(first, load->queued_usec);
                c->rows[i] = load_was_there_before(load) ? NO_LOAD : c->n_rows++;
                c->n_before += c->rows[i] == NO_LOAD;
                if (c->rows[i] == NO_LOAD)
                        continue;
                note = note_of(load);
                if (!note)
                        return -ENOMEM;
                note_width = MAX(note_width, svg_text_width(note, 10.5));
                columns = MAX(columns, MIN(wrap_columns(load->module), (size_t) NAME_COLUMNS_MAX));
        }
        c->name_right = MARGIN + (double) columns * SVG_TEXT_SIZE * 0.62;
        c->top = HEAD_HEIGHT + AXIS_HEIGHT;
        c->bottom = c->top + ROW_HEIGHT * (double) MAX(c->n_rows, (size_t) 1);
        c->scale = time_scale_make(first == UINT64_MAX ? 0 : first, loads->end_usec, c->name_right + 10,
                                   WIDTH - MARGIN - c->name_right - 10 - TIME_GAP - note_width, MARKS_MAX);
        return 0;
}

/* ------------------------------------------------------------------------------------------------ the head */

static double write_swatch(Canvas *c, double x, double y, const char *classes, double opacity, double height,
                           const char *words) {
        (void) fprintf(
                c->f,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"22\" height=\"%.1f\" class=\"%s\" opacity=\"%.2f\"/>",
                x, y - 4 - height / 2, height, classes, opacity);
        svg_text(c->f, x + 27, y, "small", words);
        return x + 27 + svg_text_width(words, 10.5) + 14;
}

static void write_legend(Canvas *c) {
        double x = MARGIN, y = 72;
        const OriginColour *colours;
        size_t n;

        x = write_swatch(c, x, y, "queue", 1, 3, "in lkmd's queue");
        x = write_swatch(c, x, y, "fill-device", 1, BAR_HEIGHT, "until it was usable");
        x = write_swatch(c, x, y, "fill-device", 0.35, BAR_HEIGHT, "waiting for all asynchronous probes");
        x = write_swatch(c, x, y, "bad", 1, BAR_HEIGHT, "failed");
        (void) fprintf(c->f, "<path class=\"arrow\" fill=\"none\" d=\"M%.1f %.1fh24\"/>", x, y - 4);
        svg_text(c->f, x + 29, y, "small", "loaded for");
        x += 29 + svg_text_width("loaded for", 10.5) + 14;
        (void) fprintf(c->f,
                       "<path class=\"arrow\" fill=\"none\" stroke-dasharray=\"3 2\" d=\"M%.1f %.1fh24\"/>",
                       x, y - 4);
        svg_text(c->f, x + 29, y, "small", "by a softdep");

        x = MARGIN;
        y += 20;
        svg_text(c->f, x, y, "small", "Wanted by:");
        x += svg_text_width("Wanted by:", 10.5) + 8;
        colours = origin_colours(&n);
        for (size_t i = 0; i < n; i++) {
                bool used = false;

                for (size_t k = 0; k < c->plot->loads->n_items && !used; k++)
                        used = origin_colour_find(nth(c, k)->origin) == colours + i && c->rows[k] != NO_LOAD;
                if (used)
                        x = write_swatch(c, x, y, colours[i].fill, 1, BAR_HEIGHT, colours[i].words);
        }
}

/* "84 loads from 1.234 s to 5.678 s, 2 failed, 1 slow" */
static void write_summary(Canvas *c) {
        const Loads *loads = c->plot->loads;
        size_t n_failed = 0, n_slow = 0;
        uint64_t first = UINT64_MAX;

        for (size_t i = 0; i < loads->n_items; i++) {
                n_failed += loads->items[i].fate == LOAD_FAILED;
                n_slow += loads->items[i].slow;
                first = MIN(first, loads->items[i].queued_usec);
        }
        (void) fprintf(c->f, "<text x=\"%.1f\" y=\"48\" class=\"dim\">", MARGIN);
        if (c->plot->machine) {
                svg_escaped_short(c->f, c->plot->machine, 70);
                (void) fputs(": ", c->f);
        }
        (void) fprintf(c->f, "%zu load%s", c->n_rows, c->n_rows == 1 ? "" : "s");
        if (loads->n_items > 0)
                (void) fprintf(c->f, " from %.3f s to %.3f s", (double) first / 1e6,
                               (double) loads->end_usec / 1e6);
        if (n_failed > 0)
                (void) fprintf(c->f, ", %zu failed", n_failed);
        if (n_slow > 0)
                (void) fprintf(c->f, ", %zu slow", n_slow);
        (void) fputs("</text>\n", c->f);
}

static void write_head(Canvas *c) {
        svg_text(c->f, MARGIN, 28, "head", "Modules of this boot");
        write_summary(c);
        write_legend(c);
}

/* What the picture does not have. */
static void write_foot(Canvas *c) {
        const Loads *loads = c->plot->loads;
        double y = c->bottom + AXIS_HEIGHT + 14;

        svg_text(c->f, MARGIN, y, "small dim", "Seconds since the kernel started.");
        if (loads->n_later == 0 && loads->n_untimed == 0 && loads->complete)
                return;
        (void) fprintf(c->f, "<text x=\"%.1f\" y=\"%.1f\" class=\"small dim\">", MARGIN, y + 15);
        if (loads->n_later > 0)
                (void) fprintf(c->f, "Not shown: %zu later load%s (lkmctl plot --all). ", loads->n_later,
                               loads->n_later == 1 ? "" : "s");
        if (loads->n_untimed > 0)
                (void) fprintf(c->f, "Not shown: %zu, whose time is not known. ", loads->n_untimed);
        if (!loads->complete)
                (void) fputs("lkmd has forgotten the oldest loads.", c->f);
        (void) fputs("</text>\n", c->f);
}

/* ------------------------------------------------------------------------------------------- behind the bars */

static void write_grid(Canvas *c) {
        for (size_t i = 0; i < c->n_rows; i += 2)
                (void) fprintf(
                        c->f, "<rect class=\"stripe\" x=\"0\" y=\"%.1f\" width=\"%.0f\" height=\"%.1f\"/>\n",
                        c->top + ROW_HEIGHT * (double) i, WIDTH, ROW_HEIGHT);
        for (uint64_t usec = c->scale.begin_usec; usec <= c->scale.end_usec; usec += c->scale.step_usec) {
                double x = time_scale_x(&c->scale, usec);

                (void) fprintf(c->f, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, c->top - 4,
                               c->bottom + 4);
                for (int k = 0; k < 2; k++) {
                        (void) fprintf(c->f, "<text class=\"small dim middle\" x=\"%.1f\" y=\"%.1f\">", x,
                                       k == 0 ? c->top - 9 : c->bottom + 16);
                        write_seconds(c->f, usec, c->scale.step_usec);
                        (void) fputs("</text>\n", c->f);
                }
        }
}

/* What was in the kernel when lkmd started: a line at that moment, whose title has the names. */
static void write_mark(Canvas *c) {
        uint64_t when = 0;
        size_t n = 0;
        double x;

        for (size_t i = 0; i < c->plot->loads->n_items; i++)
                if (c->rows[i] == NO_LOAD)
                        when = MAX(when, nth(c, i)->ended_usec);
        if (c->n_before == 0)
                return;

        x = time_scale_x(&c->scale, when);
        (void) fputs("<g id=\"before\"><title>In the kernel before lkmd looked:", c->f);
        for (size_t i = 0; i < c->plot->loads->n_items; i++) {
                if (c->rows[i] != NO_LOAD)
                        continue;
                if (n++ == MARK_NAMES_MAX) {
                        (void) fputs(" \xe2\x80\xa6", c->f);
                        break;
                }
                (void) fputs(n > 1 ? ", " : " ", c->f);
                svg_escaped(c->f, nth(c, i)->module);
        }
        (void) fprintf(
                c->f,
                "</title><path class=\"mark\" fill=\"none\" stroke-width=\"2\" stroke-dasharray=\"5 3\" d=\"M%.1f %.1fV%.1f\"/>",
                x, c->top - 22, c->bottom);
        (void) fprintf(
                c->f,
                "<text class=\"small strong%s\" x=\"%.1f\" y=\"%.1f\">%zu module%s there before lkmd</text></g>\n",
                x > WIDTH / 2 ? " end" : "", x > WIDTH / 2 ? x - 5 : x + 5, c->top - 24, c->n_before,
                c->n_before == 1 ? " was" : "s were");
}

/* From where one was usable to where lkmd queued the other, which had waited for it. */
static void write_arrow(Canvas *c, size_t i) {
        const Load *load = nth(c, i), *parent;
        const char *reason = field_string(load->record, "reason") ?: "";
        bool softdep = startswith(reason, "softdep"), after = streq(reason, "softdep_post");
        double x1, y1, x2, y2;

        if (load->parent == NO_LOAD || c->rows[i] == NO_LOAD || c->rows[load->parent] == NO_LOAD)
                return;
        parent = nth(c, load->parent);
        x1 = time_scale_x(&c->scale, after ? parent->live_usec : load->live_usec);
        x2 = time_scale_x(&c->scale, after ? load->queued_usec : parent->queued_usec);
        y1 = row_y(c, c->rows[after ? load->parent : i]);
        y2 = row_y(c, c->rows[after ? i : load->parent]);

        (void) fprintf(c->f, "<path class=\"arrow\" fill=\"none\"%s d=\"M%.1f %.1fV%.1fH%.1f\"/>",
                       softdep ? " stroke-dasharray=\"3 2\"" : "", x1, y1, y2, x2);
        if (x2 - x1 >= 5)
                (void) fprintf(c->f, "<path class=\"head-of-arrow\" d=\"M%.1f %.1fl-5 -3v6z\"/>", x2, y2);
        else
                (void) fprintf(c->f, "<path class=\"head-of-arrow\" d=\"M%.1f %.1fl-3 %dh6z\"/>", x1,
                               y2 + (y2 > y1 ? -2 : 2), y2 > y1 ? -5 : 5);
        (void) fputc('\n', c->f);
}

/* ------------------------------------------------------------------------------------------------ the bars */

static void write_bar(Canvas *c, double y, uint64_t from_usec, uint64_t to_usec, double height,
                      const char *classes, const char *rest) {
        double x = time_scale_x(&c->scale, from_usec), width = time_scale_x(&c->scale, to_usec) - x;

        (void) fprintf(c->f, "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"%s/>",
                       classes, x, y - height / 2, MAX(width, BAR_WIDTH_MIN), height, rest);
}

/* All that is known of one load, for who points at it. */
static void write_story(FILE *f, const Load *load) {
        print_escaped(f, load->module);
        (void) fputs(": ", f);
        print_outcome(f, load->record);
        (void) fputc('\n', f);
        print_record_requester(f, load->record);
        if (load->seen) {
                (void) fprintf(f, "\nseen at %.3f s", (double) load->ended_usec / 1e6);
        } else {
                (void) fprintf(f, "\nqueued at %.3f s, for ", (double) load->queued_usec / 1e6);
                print_duration(f, load->began_usec - load->queued_usec);
                (void) fprintf(f, "\nbegan at %.3f s", (double) load->began_usec / 1e6);
                if (load->fate == LOAD_DONE)
                        (void) fprintf(f, ", usable at %.3f s", (double) load->live_usec / 1e6);
                if (load->fate == LOAD_DONE && load->took_usec > load->live_after_usec) {
                        (void) fputs("\nthen waited for asynchronous probes for ", f);
                        print_duration(f, load->took_usec - load->live_after_usec);
                }
        }
        if (load->slow)
                (void) fputs("\nslow: longer than SlowLoadSec=", f);
        if (load->gone)
                (void) fputs("\nnot in the kernel any more", f);
}

static void write_bars(Canvas *c, const Load *load, double y, const char *origin) {
        if (load->seen) {
                (void) fprintf(c->f, "<path class=\"%s\" d=\"M%.1f %.1fl5 -5l5 5l-5 5z\"/>", origin,
                               time_scale_x(&c->scale, load->ended_usec) - 5, y);
                return;
        }
        if (load->began_usec > load->queued_usec)
                write_bar(c, y, load->queued_usec, load->began_usec, 3, "queue", "");
        if (load->fate == LOAD_FAILED) {
                write_bar(c, y, load->began_usec, load->ended_usec, BAR_HEIGHT, "bad", "");
                return;
        }
        if (load->ended_usec > load->live_usec)
                write_bar(c, y, load->live_usec, load->ended_usec, BAR_HEIGHT, origin, " opacity=\"0.35\"");
        write_bar(c, y, load->began_usec, load->live_usec, BAR_HEIGHT, origin,
                  load->fate == LOAD_UNDER_WAY ? " opacity=\"0.6\"" : "");
}

static int write_time(Canvas *c, const Load *load, double y) {
        _cleanup_(freep) char *note = note_of(load);
        double x = MAX(time_scale_x(&c->scale, load->ended_usec),
                       time_scale_x(&c->scale, load->began_usec) + BAR_WIDTH_MIN);
        char classes[64];

        if (!note)
                return -ENOMEM;
        (void) snprintf(classes, sizeof(classes), "small halo%s",
                        load->fate == LOAD_FAILED ? " bad"
                        : load->slow              ? " slow strong"
                                                  : "");
        svg_text(c->f, x + TIME_GAP + (load->seen ? 2 : 0), y + 4, classes, note);
        return 0;
}

static int write_row(Canvas *c, size_t i) {
        const Load *load = nth(c, i);
        double y = row_y(c, c->rows[i]);
        _cleanup_(freep) char *story = NULL;
        size_t size;
        FILE *f;
        int r;

        f = open_memstream(&story, &size);
        if (!f)
                return -ENOMEM;
        write_story(f, load);
        if (fclose(f) != 0)
                return -ENOMEM;

        (void) fputs("<g class=\"load\"><title>", c->f);
        for (char *line = story, *end; line; line = end) {
                end = strchr(line, '\n');
                if (end)
                        *end++ = '\0';
                svg_escaped(c->f, line);
                if (end)
                        (void) fputc('\n', c->f);
        }
        /* something to point at where there is nothing to see */
        (void) fprintf(
                c->f, "</title><rect x=\"0\" y=\"%.1f\" width=\"%.0f\" height=\"%.1f\" fill-opacity=\"0\"/>",
                y - ROW_HEIGHT / 2, WIDTH, ROW_HEIGHT);
        (void) fprintf(c->f, "<text class=\"end%s\" x=\"%.1f\" y=\"%.1f\">",
                       load->fate == LOAD_FAILED ? " bad" : "", c->name_right, y + 4);
        svg_escaped_short(c->f, load->module, NAME_COLUMNS_MAX);
        (void) fputs("</text>", c->f);
        write_bars(c, load, y, origin_colour_find(load->origin)->fill);
        r = write_time(c, load, y);
        (void) fputs("</g>\n", c->f);
        return r;
}

/**
 * boot_plot_write() - the picture, as SVG
 *
 * Return: 0; -ENOMEM. What @f says is up to the caller.
 */
int boot_plot_write(FILE *f, const BootPlot *plot) {
        _cleanup_(freep) SvgColour *colours = NULL;
        Canvas c = { .f = f, .plot = plot };
        size_t n_colours;
        int r;

        assert(f && plot && plot->loads);

        r = origin_colour_rules(plot_colours, ARRAY_LEN(plot_colours), &colours, &n_colours);
        if (r >= 0)
                r = lay_out(&c);
        if (r < 0)
                return r;
        svg_begin(f, WIDTH, c.bottom + AXIS_HEIGHT + FOOT_HEIGHT, plot->theme, colours, n_colours);
        write_head(&c);
        write_grid(&c);
        write_mark(&c);
        for (size_t i = 0; i < plot->loads->n_items; i++)
                write_arrow(&c, i);
        for (size_t i = 0; i < plot->loads->n_items && r >= 0; i++)
                if (c.rows[i] != NO_LOAD)
                        r = write_row(&c, i);
        write_foot(&c);
        svg_end(f);
        free(c.rows);
        return r;
}
