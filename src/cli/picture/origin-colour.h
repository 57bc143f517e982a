/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "cli/picture/svg.h"

/* OriginColour: how pictures tell apart who wanted a module. */
typedef struct OriginColour {
        const char *origin;             /* as the varlink enum Origin has it */
        const char *words;              /* for a legend */
        const char *fill, *line;        /* classes of SVG */
        SvgColour fill_rule, line_rule;
} OriginColour;

const OriginColour *origin_colours(size_t *ret_n);
const OriginColour *origin_colour_find(const char *origin);
int origin_colour_rules(const SvgColour *own, size_t n_own, SvgColour **ret, size_t *ret_n);
