/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/base/util.h"

/* StringArena: strings that are freed together. Zeroed memory is an empty arena. */
typedef struct StringArena {
        struct ArenaChunk *chunks;      /* the one being filled first */
        size_t n_free;                  /* bytes left in it */
} StringArena;

char *string_arena_add(StringArena *a, const char *s, size_t n);
char *string_arena_join(StringArena *a, const char *s, size_t n, const char *t, size_t m);
void string_arena_clear(StringArena *a);
