/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/base/util.h"

typedef struct IndexModule IndexModule;
struct IndexModule {
        const char *name;               /* normalised */
        const char *path;               /* absolute; NULL: built into the kernel */
        const IndexModule *const
                *dependencies; /* also the indirect ones, in the order of loading (deepest first) */
        size_t n_dependencies;
};

/* What a sealed table consists of: arrays without pointers, which can be written to a file as they are. */
typedef enum ModulePart {
        MODULE_FACTS,
        MODULE_RECORDS,
        MODULE_NEEDS,
        MODULE_SLOTS,
        MODULE_STRINGS,
        _MODULE_PART_MAX,
} ModulePart;

#define MODULE_NONE UINT32_MAX          /* as the number of a module */

/* ModuleTable: the modules of one kernel and what each needs. Lines are added, then the table is sealed. */
typedef struct ModuleTable ModuleTable;

int module_table_new(ModuleTable **ret, const char *module_dir);
ModuleTable *module_table_free(ModuleTable *t);
DEFINE_CLEANUP(ModuleTable, module_table_free);

int module_table_add(ModuleTable *t, const char *name, const char *line);
int module_table_add_builtin(ModuleTable *t, const char *name);
int module_table_seal(ModuleTable *t);

void module_table_get_parts(const ModuleTable *t, struct iovec *ret);
int module_table_new_from_parts(ModuleTable **ret, const struct iovec *parts);

/*
 * NULL unless the name has a line in modules.dep, or is built in, respectively; _find() finds both.
 */
const IndexModule *module_table_find_listed(const ModuleTable *t, const char *name);
const IndexModule *module_table_find_builtin(const ModuleTable *t, const char *name);
const IndexModule *module_table_find(const ModuleTable *t, const char *name);
size_t module_table_count(const ModuleTable *t);
const IndexModule *module_table_get(const ModuleTable *t, size_t i);
uint32_t module_table_find_number(const ModuleTable *t, const char *name);
