/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* Svg: pictures as text, without scripts, fonts or anything else that is not in the file. */

typedef enum SvgTheme {
        SVG_AUTO,                       /* light or dark, as the reader prefers */
        SVG_LIGHT,
        SVG_DARK,
} SvgTheme;

typedef struct SvgColour {
        const char *selector, *property; /* of CSS */
        const char *light, *dark;
} SvgColour;

#define SVG_TEXT_SIZE 12.0              /* of text without a class of its own, in units of the picture */

void svg_begin(FILE *f, double width, double height, SvgTheme theme, const SvgColour *colours,
               size_t n_colours);
void svg_end(FILE *f);

void svg_escaped(FILE *f, const char *text);
void svg_escaped_short(FILE *f, const char *text, size_t columns);
void svg_title(FILE *f, const char *text);
void svg_text(FILE *f, double x, double y, const char *classes, const char *text);

double svg_text_width(const char *text, double size);
