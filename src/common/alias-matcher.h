/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/util.h"

/*
 * AliasMatcher: all alias patterns of one kind, in memory: a trie in which '*', '?' and "[..]" are edges
 * like any other. Patterns go in first, then it is sealed, then it is asked; sealed it never changes.
 * AliasLookup is who asks it: room for answers and marks; one for each thread that asks.
 */
typedef struct AliasMatcher AliasMatcher;
typedef struct AliasLookup AliasLookup;

typedef enum AliasDialect {
        ALIAS_FNMATCH,                  /* fnmatch(3) with flags 0 over each pattern: modprobe.d */
        ALIAS_INDEX,                    /* as libkmod searches modules.alias.bin, see alias-matcher.c */
} AliasDialect;

typedef struct AliasMatch {
        const char *pattern;            /* borrowed from the matcher */
        const char *value;              /* likewise */
        uint32_t priority;
        uint32_t value_id;              /* equal values have the same, below alias_matcher_value_ids() */
} AliasMatch;

int alias_matcher_new(AliasMatcher **ret, AliasDialect dialect);
AliasMatcher *alias_matcher_free(AliasMatcher *m);
DEFINE_CLEANUP(AliasMatcher, alias_matcher_free);

int alias_matcher_add(AliasMatcher *m, const char *pattern, const char *value, uint32_t priority);
int alias_matcher_seal(AliasMatcher *m);
size_t alias_matcher_count(const AliasMatcher *m);
size_t alias_matcher_value_ids(const AliasMatcher *m);
size_t alias_matcher_size_bytes(const AliasMatcher *m);

int alias_lookup_new(AliasLookup **ret, const AliasMatcher *m);
AliasLookup *alias_lookup_free(AliasLookup *l);
DEFINE_CLEANUP(AliasLookup, alias_lookup_free);

/* All matches, ascending priority; borrowed until the next look-up with @l. */
int alias_lookup_find(AliasLookup *l, const char *key, size_t length, const AliasMatch **ret, size_t *ret_n);
