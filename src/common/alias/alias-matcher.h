/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/alias/alias-dialect.h"
#include "common/base/util.h"

/*
 * AliasMatcher: all alias patterns of one kind: a trie in which '*', '?' and "[..]" are edges like any
 * other. Patterns are added, then the matcher is sealed, and then it never changes. An AliasLookup finds
 * what matches.
 */
typedef struct AliasMatcher AliasMatcher;

typedef struct AliasMatch {
        const char *pattern;            /* borrowed from the matcher */
        const char *value;              /* likewise */
        uint32_t priority;
        uint32_t value_id;              /* equal values have the same, below alias_matcher_value_ids() */
} AliasMatch;

/* What a sealed matcher consists of: arrays without pointers, which can be written to a file as they are. */
typedef enum AliasPart {
        ALIAS_TEXTS,
        ALIAS_VALUES,
        ALIAS_PATTERNS,
        ALIAS_CELLS,
        ALIAS_CLASSES,
        _ALIAS_PART_MAX,
} AliasPart;

int alias_matcher_new(AliasMatcher **ret, AliasDialect dialect);
AliasMatcher *alias_matcher_free(AliasMatcher *m);
DEFINE_CLEANUP(AliasMatcher, alias_matcher_free);

int alias_matcher_add(AliasMatcher *m, const char *pattern, const char *value, uint32_t priority);
int alias_matcher_seal(AliasMatcher *m);
void alias_matcher_get_parts(const AliasMatcher *m, struct iovec *ret);
int alias_matcher_new_from_parts(AliasMatcher **ret, AliasDialect dialect, const struct iovec *parts);
size_t alias_matcher_count(const AliasMatcher *m);
size_t alias_matcher_value_ids(const AliasMatcher *m);
const char *alias_matcher_next_value(const AliasMatcher *m, const char *after, uint32_t *ret_id);
size_t alias_matcher_size_bytes(const AliasMatcher *m);
