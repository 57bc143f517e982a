/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-json.h>

#include "cli/machine/kernel-memory.h"
#include "cli/machine/module-layout.h"

typedef struct MemoryRow {
        const char *name;               /* borrowed from the modules */
        uint64_t size_bytes;            /* as /proc/modules has it */
        bool has_layout;                /* the file is there, and comes to that size */
        ModuleLayout layout;
        bool idle;                      /* loaded on demand, and has neither users nor devices */
} MemoryRow;

/* MemoryReport: the memory of the modules, by what /proc says, their files, and lkmd. */
typedef struct MemoryReport {
        ProcModules modules;
        MemoryRow *rows;                /* largest first */
        size_t n_rows;
        uint64_t page_size;
        size_t n_unknown;               /* rows without layout */
        bool asked_lkmd;                /* else nobody knows what is idle, nor where the files are */
        VmallocInfo vmalloc;
        int vmalloc_error;              /* negative errno if that could not be read */
        DirectMap direct_map;
        /* Sums; those of layouts are of the rows that have one. */
        uint64_t size_bytes, text_bytes, data_bytes, lost_bytes, init_bytes, idle_bytes;
        size_t n_areas, n_idle;
} MemoryReport;

int memory_report_new(const char *root, sd_json_variant *modules, MemoryReport *ret);
void memory_report_clear(MemoryReport *report);

uint64_t memory_row_text(const MemoryReport *report, const MemoryRow *row);
uint64_t memory_row_lost(const MemoryReport *report, const MemoryRow *row);
