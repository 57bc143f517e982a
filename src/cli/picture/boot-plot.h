/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "cli/picture/loads.h"
#include "cli/picture/svg.h"

/* BootPlot: the loads of a boot as a picture, a line for each. */
typedef struct BootPlot {
        const Loads *loads;
        const char *machine;            /* its kernel and lkmd, in words; NULL: not known */
        SvgTheme theme;
} BootPlot;

int boot_plot_write(FILE *f, const BootPlot *plot);
