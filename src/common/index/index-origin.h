/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * IndexOrigin: which files an IndexTree was made from, and by which lkmd. Equal bytes: it would be made
 * again as it is. Zeroed memory is an origin that is not known.
 */
typedef struct IndexOrigin {
        void *bytes;                    /* owned */
        size_t size;
        bool young;                     /* some file may have changed since without looking as if it had */
} IndexOrigin;

int index_origin_read(IndexOrigin *ret, const char *module_dir);
void index_origin_clear(IndexOrigin *o);
bool index_origin_equal(const IndexOrigin *a, const IndexOrigin *b);
