/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/util.h"
#include "common/index/index-lookup.h"

/*
 * LookupCache: the latest answers of an index, in a fixed amount of memory. The oldest ones are forgotten
 * first.
 */
typedef struct LookupCache LookupCache;

int lookup_cache_new(LookupCache **ret, size_t size_bytes);
LookupCache *lookup_cache_free(LookupCache *c);
DEFINE_CLEANUP(LookupCache, lookup_cache_free);

int lookup_cache_find(LookupCache *c, const Index *index, const char *key, const IndexMatch **ret,
                      size_t *ret_n);
void lookup_cache_clear(LookupCache *c);

/* What it consists of, for tests: any bytes by a key. */
uint64_t lookup_cache_hash(const char *key, size_t n);
const void *lookup_cache_get(const LookupCache *c, uint64_t hash, const char *key, size_t n);
void *lookup_cache_put(LookupCache *c, uint64_t hash, const char *key, size_t n, size_t size);
