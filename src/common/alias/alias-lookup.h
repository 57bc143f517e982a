/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/alias/alias-matcher.h"
#include "common/base/util.h"

/* AliasLookup: who asks an AliasMatcher: room for answers and marks; one for each thread that asks. */
typedef struct AliasLookup AliasLookup;

int alias_lookup_new(AliasLookup **ret, const AliasMatcher *m);
AliasLookup *alias_lookup_free(AliasLookup *l);
DEFINE_CLEANUP(AliasLookup, alias_lookup_free);

/* All matches, ascending priority; borrowed until the next look-up with @l. */
int alias_lookup_find(AliasLookup *l, const char *key, size_t length, const AliasMatch **ret, size_t *ret_n);
