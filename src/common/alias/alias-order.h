/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

typedef struct AliasMatcher AliasMatcher;

/* Only for alias-matcher.c, while it is sealed. */
int alias_sort_by_text(AliasMatcher *m, uint32_t **ret);
int alias_order_entries(AliasMatcher *m);
