/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/modprobe/modprobe-config.h"

/*
 * What a name or an alias means, straight from depmod's files: the answer of index_lookup(), for a process that asks
 * once or twice and ends.
 */
typedef struct IndexDirect IndexDirect;

/* @name: borrowed until the callback returns. A negative return ends the look-up. */
typedef int (*index_direct_match_t)(const char *name, void *userdata);

int index_direct_new(IndexDirect **ret, const char *module_dir, const char *const *config_paths,
                     ProblemList *problems);
IndexDirect *index_direct_free(IndexDirect *x);
DEFINE_CLEANUP(IndexDirect, index_direct_free);

int index_direct_lookup(IndexDirect *x, const char *key, index_direct_match_t match, void *userdata);
