/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/util.h"

/* KernelMemory: what /proc says of modules, of the areas of the kernel's address space, and of its direct map. */

typedef struct ProcModule {             /* a line of /proc/modules */
        char *name;
        uint64_t size_bytes;
        int64_t ref_count;              /* -1: this kernel cannot unload */
        bool has_users;                 /* modules, or itself ([permanent]) */
        bool is_live;
} ProcModule;

typedef struct ProcModules {
        ProcModule *items;
        size_t n_items, allocated;
} ProcModules;

typedef struct VmallocSum {             /* areas of one kind */
        uint64_t areas;
        uint64_t bytes;                 /* of pages in them; of the whole area for what has no pages of its own */
        uint64_t guard_bytes;           /* addresses between them, without memory */
} VmallocSum;

typedef struct VmallocInfo {            /* of /proc/vmallocinfo */
        VmallocSum all, modules;
        uint64_t unpurged_areas;        /* freed, but not given back yet */
} VmallocInfo;

#define DIRECT_MAP_MAX 8U

typedef struct DirectMap {              /* of /proc/meminfo */
        struct {
                uint64_t page_bytes, bytes;
        } sizes[DIRECT_MAP_MAX];
        size_t n_sizes;                 /* 0: this machine does not tell */
} DirectMap;

int proc_modules_read(const char *root, ProcModules *ret);
void proc_modules_clear(ProcModules *m);
int vmalloc_info_read(const char *root, uint64_t page_size, VmallocInfo *ret);
int direct_map_read(const char *root, DirectMap *ret);
