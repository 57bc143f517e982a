/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AnswerMemo: what was answered lately, so that the same question is not worked out again. Owns two fixed
 * blocks: a ring of records (header, answer, key with a NUL) and a table that leads from a hash to the one
 * record with it. A record is never moved or removed; it is overwritten when the ring comes round, or
 * another takes its place in the table. Keys are compared in full, so a collision costs a miss and never
 * gives a wrong answer, and there are no chains that a stranger could grow.
 *
 * Places in the ring are counted from its first byte ever written: a place is in the ring as long as it is
 * less than one ring behind the head.
 */

#include "common/index/answer-memo.h"

#include <assert.h>

#include "common/base/bytes8.h"

#define SIZE_MIN 4096U
#define BYTES_PER_SLOT 64U              /* of the ring; records are rather larger, so the table is rather empty */
#define SHARE_MAX 8U                    /* a record gets at most this part of the ring */

#define PLACE_MASK ((UINT64_C(1) << 48) - 1)

typedef struct Record {
        uint64_t hash;
        uint32_t key_length;
        uint32_t answer_size;
} Record;

struct AnswerMemo {
        uint8_t *ring;
        uint64_t *slots;                /* place + 1, above it a part of the hash; 0: none */
        size_t size_bytes, n_slots;     /* powers of two */
        uint64_t head;                  /* place of the next record */
};

/**
 * answer_memo_new() - make an empty one
 * @size_bytes: for answers and keys together; rounded up to a power of two, not below 4096
 *
 * Return: 0; -ENOMEM.
 */
int answer_memo_new(AnswerMemo **ret, size_t size_bytes) {
        _cleanup_(answer_memo_freep) AnswerMemo *m = NULL;

        assert(ret);

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;

        m->size_bytes = SIZE_MIN;
        while (m->size_bytes < size_bytes)
                m->size_bytes *= 2;
        m->n_slots = m->size_bytes / BYTES_PER_SLOT;

        m->ring = malloc(m->size_bytes);
        m->slots = calloc(m->n_slots, sizeof(*m->slots));
        if (!m->ring || !m->slots)
                return -ENOMEM;

        *ret = STEAL_PTR(m);
        return 0;
}

AnswerMemo *answer_memo_free(AnswerMemo *m) {
        if (!m)
                return NULL;

        free(m->ring);
        free(m->slots);
        free(m);
        return NULL;
}

static uint64_t mix(uint64_t a, uint64_t b) {
        unsigned __int128 product = (unsigned __int128) a * b;

        return (uint64_t) product ^ (uint64_t) (product >> 64);
}

#define SEED_0 0x9E3779B97F4A7C15U      /* odd, bits well spread */
#define SEED_1 0xD6E8FEB86659FD93U
#define SEED_2 0xA0761D6478BD642FU

/**
 * answer_memo_hash() - the hash that the other functions want beside the key
 * @n: bytes of @key
 *
 * 32 bytes at a time, in two strands that do not wait for each other; the rest by words, of which the last
 * may have bytes in common with the one before.
 */
uint64_t answer_memo_hash(const char *key, size_t n) {
        uint64_t a = SEED_0 ^ n, b = SEED_1, last = 0;
        const char *p = key, *end = key + n;

        for (; end - p > 32; p += 32) {
                a = mix(a ^ word_read(p), SEED_1 ^ word_read(p + 8));
                b = mix(b ^ word_read(p + 16), SEED_2 ^ word_read(p + 24));
        }
        if (end - p > 16) {
                a = mix(a ^ word_read(p), SEED_1 ^ word_read(p + 8));
                p += 16;
        }
        if (n >= 16)
                return mix(a ^ word_read(end - 16), b ^ SEED_2 ^ word_read(end - 8));

        if (n >= 8) {
                b ^= word_read(key);
                last = word_read(end - 8);
        } else
                last = word_read_short(key, n);
        return mix(a ^ last, b ^ SEED_2);
}

/**
 * answer_memo_get() - find the answer to a key
 *
 * Return: the answer, borrowed until the next answer_memo_put(), aligned for any type of up to 8 bytes; NULL
 * if it is not there.
 */
const void *answer_memo_get(const AnswerMemo *m, uint64_t hash, const char *key, size_t n) {
        const uint8_t *at;
        uint64_t slot;
        Record r;

        assert(m && key);

        slot = m->slots[hash & (m->n_slots - 1)];
        if (slot == 0 || (slot ^ hash) & ~PLACE_MASK)
                return NULL;
        slot &= PLACE_MASK;
        if (slot - 1 + m->size_bytes < m->head)
                return NULL;

        at = m->ring + ((slot - 1) & (m->size_bytes - 1));
        memcpy(&r, at, sizeof(r));
        if (r.hash != hash || r.key_length != n || memcmp(at + sizeof(r) + r.answer_size, key, n) != 0)
                return NULL;

        return at + sizeof(r);
}

/**
 * answer_memo_put() - remember an answer, forgetting the oldest for it
 * @answer: @size bytes, copied; a size that is a multiple of 8 keeps what follows aligned
 *
 * Return: the copy, where the caller may still set what points into it or to the key, whose copy is right
 * behind it. NULL: it is too large for the memo, and not remembered.
 */
void *answer_memo_put(AnswerMemo *m, uint64_t hash, const char *key, size_t n, const void *answer,
                      size_t size) {
        size_t room, need;
        uint8_t *at;

        assert(m && key && (answer || size == 0));

        if (n > m->size_bytes / SHARE_MAX || size > m->size_bytes / SHARE_MAX)
                return NULL;
        need = (sizeof(Record) + size + n + 1 + 7) & ~(size_t) 7;
        if (need > m->size_bytes / SHARE_MAX)
                return NULL;

        room = m->size_bytes - (m->head & (m->size_bytes - 1));
        if (need > room)
                m->head += room;        /* a record never wraps around */

        at = m->ring + (m->head & (m->size_bytes - 1));
        memcpy(at, &(Record) { .hash = hash, .key_length = (uint32_t) n, .answer_size = (uint32_t) size },
               sizeof(Record));
        if (size > 0)
                memcpy(at + sizeof(Record), answer, size);
        memcpy(at + sizeof(Record) + size, key, n);
        at[sizeof(Record) + size + n] = '\0';

        m->slots[hash & (m->n_slots - 1)] = (hash & ~PLACE_MASK) | (m->head + 1);
        m->head += need;
        return at + sizeof(Record);
}

/**
 * answer_memo_clear() - forget everything
 */
void answer_memo_clear(AnswerMemo *m) {
        assert(m);

        memset(m->slots, 0, m->n_slots * sizeof(*m->slots));
}
