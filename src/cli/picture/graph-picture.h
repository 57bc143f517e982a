/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "cli/picture/module-graph.h"
#include "cli/picture/svg.h"

/* GraphPicture: the selected part of a graph, as SVG and in the language of Graphviz. */
int graph_write_svg(FILE *f, const ModuleGraph *g, size_t centre, SvgTheme theme);
void graph_write_dot(FILE *f, const ModuleGraph *g);
