/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Svg: the frame of a picture, its colours, and text in it. Owns nothing.
 *
 * Colours are written as rules for classes, twice where the reader decides: the dark ones within a media query,
 * which a program that does not know it leaves out. CSS variables would be shorter, but librsvg does not have
 * them.
 */

#include "cli/picture/svg.h"

#include <assert.h>
#include <stdint.h>

#include "cli/print/format.h"
#include "cli/print/wrap.h"
#include "common/base/text.h"
#include "common/base/util.h"

#define CHARACTER_WIDTH 0.62            /* of the size: more than the mean of usual sans-serif fonts */

static void write_colours(FILE *f, const SvgColour *colours, size_t n_colours, bool dark) {
        for (size_t i = 0; i < n_colours; i++)
                (void) fprintf(f, "%s{%s:%s}\n", colours[i].selector, colours[i].property,
                               dark ? colours[i].dark : colours[i].light);
}

/**
 * svg_begin() - the head of a picture, with its background
 * @width, @height: of its own units; shown as so many pixels unless somebody says otherwise
 * @colours:        rules with a light and a dark value, after those of text and background
 */
void svg_begin(FILE *f, double width, double height, SvgTheme theme, const SvgColour *colours,
               size_t n_colours) {
        static const SvgColour own[] = {
                { ".paper", "fill",   "#ffffff", "#16191d" },
                { "text",   "fill",   "#1d2329", "#e4e8ec" },
                { ".halo",  "stroke", "#ffffff", "#16191d" },
                { ".dim",   "fill",   "#59636e", "#a2acb6" },
        };

        assert(f);

        (void) fprintf(
                f,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" height=\"%.0f\" "
                "viewBox=\"0 0 %.0f %.0f\">\n<style>\n"
                "text{font-family:\"DejaVu Sans\",\"Liberation Sans\",Arial,Helvetica,sans-serif;"
                "font-size:%.0fpx;white-space:pre}\n"
                ".halo{stroke-width:3px;stroke-linejoin:round;paint-order:stroke}\n"
                ".head{font-size:18px;font-weight:bold}\n.small{font-size:10.5px}\n.end{text-anchor:end}\n"
                ".middle{text-anchor:middle}\n.strong{font-weight:bold}\n",
                width, height, width, height, SVG_TEXT_SIZE);
        write_colours(f, own, ARRAY_LEN(own), theme == SVG_DARK);
        write_colours(f, colours, n_colours, theme == SVG_DARK);
        if (theme == SVG_AUTO) {
                (void) fputs("@media (prefers-color-scheme:dark){\n", f);
                write_colours(f, own, ARRAY_LEN(own), true);
                write_colours(f, colours, n_colours, true);
                (void) fputs("}\n", f);
        }
        (void) fprintf(f, "</style>\n<rect class=\"paper\" width=\"%.0f\" height=\"%.0f\"/>\n", width,
                       height);
}

void svg_end(FILE *f) {
        assert(f);

        (void) fputs("</svg>\n", f);
}

/* U+FFFE and U+FFFF are printable to some C libraries, but no characters of XML 1.0. */
static bool is_no_xml(const char *p, size_t length) {
        return length == 3 && (startswith(p, "\xef\xbf\xbe") || startswith(p, "\xef\xbf\xbf"));
}

static void put_character(FILE *f, const char *p, size_t length) {
        if (is_no_xml(p, length))
                (void) fputs("\xef\xbf\xbd", f);
        else if (*p == '"')
                (void) fputs("&quot;", f);
        else
                print_markup(f, p, length);
}

/* As print_escaped(), with what has a meaning in XML as entities. NULL is "?". */
void svg_escaped(FILE *f, const char *text) {
        svg_escaped_short(f, text, SIZE_MAX);
}

/* The same; a text of more @columns is cut off with an ellipsis. */
void svg_escaped_short(FILE *f, const char *text, size_t columns) {
        _cleanup_(freep) char *escaped = NULL;
        bool cut;

        assert(f && columns > 1);

        if (!text || text_escape(text, &escaped) < 0) {
                (void) fputc('?', f);
                return;
        }
        cut = wrap_columns(escaped) > columns;
        for (const char *p = escaped; *p && (!cut || columns > 1);) {
                size_t length = MAX(text_printable_length(p), (size_t) 1);
                char one[8] = {};

                memcpy(one, p, MIN(length, sizeof(one) - 1));
                columns -= MIN(wrap_columns(one), columns);
                put_character(f, p, length);
                p += length;
        }
        if (cut)
                (void) fputs("\xe2\x80\xa6", f);
}

/* What is shown of the element around it when the pointer rests there. */
void svg_title(FILE *f, const char *text) {
        assert(f);

        (void) fputs("<title>", f);
        svg_escaped(f, text);
        (void) fputs("</title>", f);
}

/* @y: of the base line. */
void svg_text(FILE *f, double x, double y, const char *classes, const char *text) {
        assert(f && classes);

        (void) fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, classes);
        svg_escaped(f, text);
        (void) fputs("</text>\n", f);
}

/* About how wide a text is, rather too much: the font is the reader's. */
double svg_text_width(const char *text, double size) {
        _cleanup_(freep) char *escaped = NULL;

        if (!text || text_escape(text, &escaped) < 0)
                return size;
        return (double) wrap_columns(escaped) * size * CHARACTER_WIDTH;
}
