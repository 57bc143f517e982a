/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"

/*
 * IndexFile: one of depmod's modules.*.bin, copied to memory and checked. Changes on disk do not affect it.
 * Results are borrowed from it.
 */
typedef struct IndexFile IndexFile;

/*
 * One value of one key; both are borrowed, @key until the callback returns. A negative return ends the walk.
 */
typedef int (*index_file_entry_t)(const char *key, const char *value, uint32_t priority, void *userdata);

int index_file_open(IndexFile **ret, const char *path, ProblemList *problems);
int index_file_new(IndexFile **ret, const char *name, const void *data, size_t size, ProblemList *problems);
int index_file_map(IndexFile **ret, const char *path);
int index_file_borrow(IndexFile **ret, const void *data, size_t size);
IndexFile *index_file_free(IndexFile *f);
DEFINE_CLEANUP(IndexFile, index_file_free);

int index_file_foreach(const IndexFile *f, index_file_entry_t entry, void *userdata);
int index_file_search(const IndexFile *f, const char *key, const char **ret_value);
int index_file_search_all(const IndexFile *f, const char *key, index_file_entry_t entry, void *userdata);
int index_file_search_wild(const IndexFile *f, const char *key, index_file_entry_t entry, void *userdata);
size_t index_file_count(const IndexFile *f);
const void *index_file_get_data(const IndexFile *f, size_t *ret_size);
