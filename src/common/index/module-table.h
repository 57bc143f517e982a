/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/base/util.h"

typedef struct IndexModule IndexModule;
struct IndexModule {
        const char *name;               /* normalised */
        const char *path;               /* absolute; NULL: built into the kernel */
        const IndexModule *const
                *dependencies; /* also the indirect ones, in the order of loading (deepest first) */
        size_t n_dependencies;
};

/* ModuleTable: the modules of one kernel and what each needs. Lines are added, then the table is sealed. */
typedef struct ModuleTable ModuleTable;

int module_table_new(ModuleTable **ret, const char *module_dir);
ModuleTable *module_table_free(ModuleTable *t);
DEFINE_CLEANUP(ModuleTable, module_table_free);

int module_table_add(ModuleTable *t, const char *name, const char *line);
int module_table_add_builtin(ModuleTable *t, const char *name);
int module_table_seal(ModuleTable *t);

/*
 * NULL unless the name has a line in modules.dep, or is built in, respectively; _find() finds both.
 */
const IndexModule *module_table_find_listed(const ModuleTable *t, const char *name);
const IndexModule *module_table_find_builtin(const ModuleTable *t, const char *name);
const IndexModule *module_table_find(const ModuleTable *t, const char *name);
size_t module_table_count(const ModuleTable *t);
const IndexModule *module_table_get(const ModuleTable *t, size_t i);
