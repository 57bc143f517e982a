/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * FNV-1a, for tables and checksums: short, and good enough where nobody gains from a collision
 * (The FNV Non-Cryptographic Hash Algorithm, draft-eastlake-fnv).
 */

#include <stddef.h>
#include <stdint.h>

#define HASH_START 0xcbf29ce484222325ULL /* the hash of nothing */

static inline uint32_t hash_string(const char *s) {
        uint32_t hash = 2166136261U;

        for (; *s; s++)
                hash = (hash ^ (uint8_t) *s) * 16777619U;
        return hash;
}

/* Adds @size more bytes to a hash. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
        for (const uint8_t *p = bytes; size > 0; p++, size--)
                hash = (hash ^ *p) * 0x100000001b3ULL;
        return hash;
}
