/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/util.h"

/* NameTable: finds a number by a name. Borrows the names. */
typedef struct NameTable NameTable;

int name_table_new(NameTable **ret);
NameTable *name_table_free(NameTable *t);
DEFINE_CLEANUP(NameTable, name_table_free);

int name_table_add(NameTable *t, const char *name, size_t value);
bool name_table_find(const NameTable *t, const char *name, size_t *ret);
