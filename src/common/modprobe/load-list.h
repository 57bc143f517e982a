/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"

/*
 * LoadList: the modules that are listed to be loaded at boot: modules_load= of the kernel command line, and the files
 * of modules-load.d(5), each entry with its place.
 */
typedef struct LoadList LoadList;

typedef struct LoadEntry {              /* borrowed from the LoadList */
        const char *name;               /* of a module, or an alias; as written, bytes */
        const char *file;               /* KERNEL_COMMAND_LINE_FILE: the kernel command line */
        unsigned line;                  /* 0 for the kernel command line */
} LoadEntry;

typedef struct LoadListSources {
        const char *root;               /* prefix of the directories; NULL: none */
        const char *command_line;       /* text of /proc/cmdline; NULL: none */
        bool in_initramfs;              /* rd.modules_load= counts, too */
} LoadListSources;

int load_list_new(LoadList **ret, const LoadListSources *sources, ProblemList *problems);
LoadList *load_list_free(LoadList *l);
DEFINE_CLEANUP(LoadList, load_list_free);

const LoadEntry *load_list_entries(const LoadList *l, size_t *ret_n);
const char *const *load_list_directories(void);
