/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/alias/alias-matcher.h"
#include "common/base/util.h"

/* AliasLookup: the memory to ask AliasMatchers, one after the other: answers and marks. One for each thread. */
typedef struct AliasLookup AliasLookup;

int alias_lookup_new(AliasLookup **ret);
AliasLookup *alias_lookup_free(AliasLookup *l);
DEFINE_CLEANUP(AliasLookup, alias_lookup_free);

/* All matches, ascending priority; borrowed until the next look-up with @l. */
int alias_lookup_find(AliasLookup *l, const AliasMatcher *m, const char *key, size_t length,
                      const AliasMatch **ret, size_t *ret_n);
