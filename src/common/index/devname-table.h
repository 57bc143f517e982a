/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"

/*
 * A device node that exists before its driver is loaded: when it is opened, the kernel requests the module.
 */
typedef struct Devname {
        const char *module;             /* as written; borrowed from the table */
        const char *node;               /* below /dev; likewise */
        bool block;                     /* else a character device */
        dev_t device;
} Devname;

/* DevnameTable: modules.devname of a module directory. */
typedef struct DevnameTable DevnameTable;

int devname_table_new(DevnameTable **ret, const char *path, ProblemList *problems);
DevnameTable *devname_table_free(DevnameTable *t);
DEFINE_CLEANUP(DevnameTable, devname_table_free);

const Devname *devname_table_get(const DevnameTable *t, size_t *ret_n);
