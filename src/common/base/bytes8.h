/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Eight bytes of a string at a time. */

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first byte is the lowest. */
static inline uint64_t word_read(const void *p) {
        uint64_t word;

        memcpy(&word, p, sizeof(word));
        return le64toh(word);
}

/* Fewer than eight bytes; none behind them is read. */
static inline uint64_t word_read_short(const void *p, size_t n_bytes) {
        uint64_t word = 0;

        memcpy(&word, p, n_bytes);
        return le64toh(word);
}

/* Not 0 if a byte is @c; the lowest bit that is set belongs to the first such byte. */
static inline uint64_t word_find(uint64_t word, uint8_t c) {
        uint64_t difference = word ^ c * UINT64_C(0x0101010101010101);

        return (difference - UINT64_C(0x0101010101010101)) & ~difference & UINT64_C(0x8080808080808080);
}

/* Does the string have one of three bytes, none of which is NUL? */
static inline bool words_have(const char *s, size_t n, char a, char b, char c) {
        uint64_t found = 0, word;

        for (size_t i = 0; i < n; i += sizeof(word)) {
                if (n - i >= sizeof(word))
                        word = word_read(s + i);
                else
                        word = n < sizeof(word) ? word_read_short(s, n) : word_read(s + n - sizeof(word));
                found |= word_find(word, (uint8_t) a) | word_find(word, (uint8_t) b) |
                         word_find(word, (uint8_t) c);
        }
        return found;
}
