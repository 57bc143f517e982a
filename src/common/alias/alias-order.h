/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

typedef struct AliasMatcher AliasMatcher;

/* AliasOrder: sorts the entries of a matcher. Only for alias-matcher.c. */
int alias_sort_by_text(AliasMatcher *m, uint32_t **ret);
int alias_order_entries(AliasMatcher *m);
