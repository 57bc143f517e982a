/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/alias/alias-matcher.h"
#include "common/base/util.h"

/*
 * AliasLookup: the memory that a look-up in an AliasMatcher needs: answers and marks. One for each thread.
 */
typedef struct AliasLookup AliasLookup;

int alias_lookup_new(AliasLookup **ret);
AliasLookup *alias_lookup_free(AliasLookup *l);
DEFINE_CLEANUP(AliasLookup, alias_lookup_free);

/* All matches, by ascending priority; borrowed until the next look-up with @l. */
int alias_lookup_find(AliasLookup *l, const AliasMatcher *m, const char *key, size_t length,
                      const AliasMatch **ret, size_t *ret_n);
