/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an Index consists of. Only for index.c, which makes it, and index-lookup.c, which searches it. */

#include <stdbool.h>

#include "common/alias/alias-matcher.h"
#include "common/base/name-table.h"
#include "common/index/devname-table.h"
#include "common/index/index-tree.h"
#include "common/index/softdep-table.h"
#include "common/modprobe/modprobe-config.h"

typedef struct Index Index;

struct Index {
        unsigned n_ref;
        char *release, *module_dir;
        ModprobeConfig *config;
        SoftdepTable *softdeps;
        NameTable *commands;            /* exact names in install, then in remove lines; to index_get_command() */
        AliasMatcher *
                config_aliases; /* NULL: there are none; their priority is their number in the configuration */
        DevnameTable *devnames;         /* NULL: no module directory */
        IndexTree tree;
        const char *image_reason;       /* why the tree is not mapped; NULL: it is, or nobody asked for it */
};

const ConfigEntry *index_get_command(const Index *x, size_t i); /* NULL: there are fewer */
