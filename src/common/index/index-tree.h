/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/alias/alias-matcher.h"
#include "common/base/problem-list.h"
#include "common/index/index-file.h"
#include "common/index/index-origin.h"
#include "common/index/module-table.h"

typedef struct AliasTable {             /* one file of aliases */
        AliasMatcher *matcher;          /* NULL: there are none */
        const uint32_t *modules;        /* by value_id: number in the ModuleTable, or MODULE_NONE */
} AliasTable;

/*
 * IndexTree: what an Index has from depmod's large files. Nothing in it depends on modprobe.d, on the kernel
 * command line or on where in memory it is, so it can be mapped from a file instead of being made anew
 * (index-image.h).
 */
typedef struct IndexTree {
        ModuleTable *modules;
        AliasTable aliases, builtin_aliases;
        IndexFile *symbols;             /* NULL: no such file */
        bool borrowed;                  /* all arrays are in an image */
        bool young;                     /* the origin is not known, since its files were written just now */
        bool complete, whole;           /* as index_is_complete(), index_is_whole() */
        IndexOrigin origin;             /* not known: files changed while they were read, or some could not be read */
        struct iovec image;             /* mapped; empty: the tree was made from the files */
} IndexTree;

int index_tree_build(IndexTree *ret, const char *module_dir, bool present, ProblemList *problems);
int index_tree_load(IndexTree *ret, const char *module_dir, const char *image_dir, const char *release,
                    const char **ret_reason);
int index_tree_read(IndexTree *ret, const struct iovec *image, const IndexOrigin *origin,
                    const char **ret_reason);
int index_tree_compose(const IndexTree *t, void **ret, size_t *ret_size);
void index_tree_rest(const IndexTree *t);
void index_tree_clear(IndexTree *t);
