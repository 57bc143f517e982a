/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdio.h>

#define LABEL_COLUMNS 14                /* of what output_label() prints */

/* Lines that are too long for a terminal. */
void fold_line(FILE *f, const char *line, size_t width);
