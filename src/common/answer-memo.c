/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AnswerMemo: what was answered lately, so that the same question is not worked out again. Owns two fixed
 * blocks: a ring of records (header, answer, key) and a table that leads from a hash to the one record with
 * it. A record is never removed; it is overwritten when the ring comes round, or another takes its place in
 * the table. Keys are compared in full, so a collision costs a miss and never gives a wrong answer, and
 * there are no chains that a stranger could grow.
 *
 * Places in the ring are counted from its first byte ever written: a place is in the ring as long as it is
 * less than one ring behind the head.
 */

#include "common/answer-memo.h"

#include <assert.h>

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

/**
 * answer_memo_hash() - the hash that the other functions want beside the key
 * @n: bytes of @key
 */
uint64_t answer_memo_hash(const char *key, size_t n) {
        uint64_t h = 0x9E3779B97F4A7C15U ^ n, word = 0;

        for (; n >= sizeof(word); n -= sizeof(word), key += sizeof(word)) {
                memcpy(&word, key, sizeof(word));
                h = mix(h ^ word, 0xD6E8FEB86659FD93U);
        }
        word = 0;
        memcpy(&word, key, n);
        return mix(h ^ word, 0xA0761D6478BD642FU);
}

/**
 * answer_memo_get() - find the answer to a key
 * @ret: borrowed until the next answer_memo_put(); aligned for any type of up to 8 bytes
 *
 * Return: whether it is there.
 */
bool answer_memo_get(const AnswerMemo *m, uint64_t hash, const char *key, size_t n, const void **ret,
                     size_t *ret_size) {
        const uint8_t *at;
        uint64_t slot;
        Record r;

        assert(m && key && ret && ret_size);

        slot = m->slots[hash & (m->n_slots - 1)];
        if (slot == 0 || (slot ^ hash) & ~PLACE_MASK)
                return false;
        slot &= PLACE_MASK;
        if (slot - 1 + m->size_bytes < m->head)
                return false;

        at = m->ring + ((slot - 1) & (m->size_bytes - 1));
        memcpy(&r, at, sizeof(r));
        if (r.hash != hash || r.key_length != n || memcmp(at + sizeof(r) + r.answer_size, key, n) != 0)
                return false;

        *ret = at + sizeof(r);
        *ret_size = r.answer_size;
        return true;
}

/**
 * answer_memo_put() - remember an answer, forgetting the oldest for it
 * @answer: @size bytes, copied; a size that is a multiple of 8 keeps what follows aligned
 *
 * What is too large for the memo is not remembered.
 */
void answer_memo_put(AnswerMemo *m, uint64_t hash, const char *key, size_t n, const void *answer,
                     size_t size) {
        size_t room, need;
        uint8_t *at;

        assert(m && key && (answer || size == 0));

        if (n > m->size_bytes / SHARE_MAX || size > m->size_bytes / SHARE_MAX)
                return;
        need = (sizeof(Record) + size + n + 7) & ~(size_t) 7;
        if (need > m->size_bytes / SHARE_MAX)
                return;

        room = m->size_bytes - (m->head & (m->size_bytes - 1));
        if (need > room)
                m->head += room;        /* a record never wraps around */

        at = m->ring + (m->head & (m->size_bytes - 1));
        memcpy(at, &(Record) { .hash = hash, .key_length = (uint32_t) n, .answer_size = (uint32_t) size },
               sizeof(Record));
        if (size > 0)
                memcpy(at + sizeof(Record), answer, size);
        memcpy(at + sizeof(Record) + size, key, n);

        m->slots[hash & (m->n_slots - 1)] = (hash & ~PLACE_MASK) | (m->head + 1);
        m->head += need;
}

/**
 * answer_memo_clear() - forget everything
 */
void answer_memo_clear(AnswerMemo *m) {
        assert(m);

        memset(m->slots, 0, m->n_slots * sizeof(*m->slots));
}
