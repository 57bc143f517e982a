/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/util.h"
#include "common/modprobe/modprobe-config.h"

/* A softdep of a module, all lines merged, each entry as written; what it means is a look-up of its own. */
typedef struct IndexSoftdep {
        const char *key;                /* normalised */
        bool post;
        const ConfigEntry *config;
} IndexSoftdep;

/* The softdep lines of a configuration, cut into words. Borrows the configuration. */
typedef struct SoftdepTable SoftdepTable;

int softdep_table_new(SoftdepTable **ret, const ModprobeConfig *config);
SoftdepTable *softdep_table_free(SoftdepTable *t);
DEFINE_CLEANUP(SoftdepTable, softdep_table_free);

/* The array is the caller's to free, NULL if there is none; what is in it, the table's. */
int softdep_table_find(const SoftdepTable *t, const char *module, IndexSoftdep **ret, size_t *ret_n);
