/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/util.h"
#include "common/modprobe/modprobe-config.h"

/* One entry of the softdeps of a module; what its key means has to be looked up. */
typedef struct IndexSoftdep {
        const char *key;                /* normalised */
        bool post;
        const ConfigEntry *config;
} IndexSoftdep;

/* SoftdepTable: the softdep lines of a configuration, split into words. Borrows the configuration. */
typedef struct SoftdepTable SoftdepTable;

int softdep_table_new(SoftdepTable **ret, const ModprobeConfig *config);
SoftdepTable *softdep_table_free(SoftdepTable *t);
DEFINE_CLEANUP(SoftdepTable, softdep_table_free);

/* The array is to be freed, NULL if there is none; the strings in it are the table's. */
int softdep_table_find(const SoftdepTable *t, const char *module, IndexSoftdep **ret, size_t *ret_n);
