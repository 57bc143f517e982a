/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an Index consists of. Only for index.c, which makes it, and index-lookup.c, which searches it. */

#include <stdbool.h>

#include "common/alias/alias-matcher.h"
#include "common/base/name-table.h"
#include "common/index/devname-table.h"
#include "common/index/index-file.h"
#include "common/index/module-table.h"
#include "common/index/softdep-table.h"
#include "common/modprobe/modprobe-config.h"

typedef struct Index Index;

typedef struct AliasTable {             /* one file of aliases, or those of modprobe.d */
        AliasMatcher *matcher;          /* NULL: there are none */
        const IndexModule **modules;    /* by value_id; NULL: no such module; no array for modprobe.d */
} AliasTable;

struct Index {
        unsigned n_ref;
        char *release, *module_dir;
        ModprobeConfig *config;
        SoftdepTable *softdeps;
        NameTable *commands;            /* exact names in install, then in remove lines; to index_get_command() */
        ModuleTable *modules;
        IndexFile *symbols;             /* NULL: no such file */
        DevnameTable *devnames;         /* NULL: no module directory */
        AliasTable config_aliases, aliases, builtin_aliases;
        bool complete, whole;
};

const ConfigEntry *index_get_command(const Index *x, size_t i); /* NULL: there are fewer */
