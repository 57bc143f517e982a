/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * StringArena: thousands of small strings without an allocation for each. Owns its chunks.
 */

#include "common/base/string-arena.h"

#include <assert.h>
#include <stdint.h>

#define CHUNK_SIZE 32768U

struct ArenaChunk {
        struct ArenaChunk *next;
        size_t size;
        char bytes[];
};

/**
 * string_arena_join() - store the concatenation of two strings
 * @s: @n bytes, need not end in NUL
 * @t: @m bytes, likewise
 *
 * Return: NULL: there is no memory.
 */
char *string_arena_join(StringArena *a, const char *s, size_t n, const char *t, size_t m) {
        size_t size;
        char *to;

        assert(a && s && t);

        size = n + m + 1;
        if (size > a->n_free) {
                size_t chunk_size = MAX(size, (size_t) CHUNK_SIZE);
                struct ArenaChunk *c;

                c = malloc(sizeof(*c) + chunk_size);
                if (!c)
                        return NULL;
                *c = (struct ArenaChunk) { .next = a->chunks, .size = chunk_size };
                a->chunks = c;
                a->n_free = chunk_size;
        }

        to = a->chunks->bytes + (a->chunks->size - a->n_free);
        memcpy(to, s, n);
        memcpy(to + n, t, m);
        to[n + m] = '\0';
        a->n_free -= size;
        return to;
}

/**
 * string_arena_add() - store a copy of @n bytes as a string
 *
 * Return: NULL: there is no memory.
 */
char *string_arena_add(StringArena *a, const char *s, size_t n) {
        return string_arena_join(a, s, n, "", 0);
}

void string_arena_clear(StringArena *a) {
        assert(a);

        while (a->chunks) {
                struct ArenaChunk *next = a->chunks->next;

                free(a->chunks);
                a->chunks = next;
        }
        a->n_free = 0;
}
