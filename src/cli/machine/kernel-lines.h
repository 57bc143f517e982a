/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/machine/machine.h"

/* KernelLines: what the kernel logged in this boot, as far as its buffer reaches back and the caller may read it. */
typedef struct KernelLine {
        uint64_t usec;                  /* since boot, as CLOCK_MONOTONIC counts, within some milliseconds */
        char *text;
} KernelLine;

typedef struct KernelLines {
        KernelLine *items;              /* oldest first */
        size_t n_items, n_allocated;
} KernelLines;

int kernel_lines_read(const Machine *machine, KernelLines *ret);
void kernel_lines_clear(KernelLines *l);

const char *kernel_lines_next(const KernelLines *l, uint64_t since_usec, size_t *at);
