/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LookupCache: the latest answers of an index, so that the same key is not looked up twice. Holds a
 * reference to the index. Owns the memory for a look-up and two fixed blocks: a ring of records (header,
 * answer, key with a NUL) and a hash table with at most one record for each slot. A record is never moved or
 * removed; it is overwritten when the ring is full, or loses its slot to another one. Keys are compared in
 * full, so a collision costs a miss and never gives a wrong answer, and there are no chains that a stranger
 * could make longer.
 *
 * Places in the ring are counted from the first byte ever written: a place is in the ring while it is less
 * than the size of the ring behind the head.
 */

#include "common/index/lookup-cache.h"

#include <assert.h>

#include "common/base/bytes8.h"
#include "common/base/limits.h"

#define SIZE_MIN 4096U
#define BYTES_PER_SLOT 64U              /* of the ring; most records are larger, so many slots are free */
#define SHARE_MAX 8U                    /* a record takes at most this part of the ring */

#define PLACE_MASK ((UINT64_C(1) << 48) - 1)

typedef struct Record {
        uint64_t hash;
        uint32_t key_length;
        uint32_t answer_size;
} Record;

/* The record of a key has this, and the normalised key behind it. */
typedef struct Answer {
        size_t n_matches;
        IndexMatch matches[];
} Answer;

struct LookupCache {
        const Index *index;             /* of the answers; NULL: there are none */
        IndexAnswer last;               /* of the last look-up in the index */
        uint8_t *ring;
        uint64_t *slots;                /* place + 1, above it a part of the hash; 0: free */
        size_t size_bytes, n_slots;     /* powers of two */
        uint64_t head;                  /* place of the next record */
};

/**
 * lookup_cache_new() - make an empty cache
 * @size_bytes: for answers and keys together; rounded up to a power of two, not below 4096
 *
 * Return: 0; -ENOMEM.
 */
int lookup_cache_new(LookupCache **ret, size_t size_bytes) {
        _cleanup_(lookup_cache_freep) LookupCache *c = NULL;

        assert(ret);

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;

        c->size_bytes = SIZE_MIN;
        while (c->size_bytes < size_bytes)
                c->size_bytes *= 2;
        c->n_slots = c->size_bytes / BYTES_PER_SLOT;

        c->ring = malloc(c->size_bytes);
        c->slots = calloc(c->n_slots, sizeof(*c->slots));
        if (!c->ring || !c->slots)
                return -ENOMEM;

        *ret = STEAL_PTR(c);
        return 0;
}

LookupCache *lookup_cache_free(LookupCache *c) {
        if (!c)
                return NULL;

        index_unref(c->index);
        index_answer_clear(&c->last);
        free(c->ring);
        free(c->slots);
        free(c);
        return NULL;
}

static uint64_t mix(uint64_t a, uint64_t b) {
        unsigned __int128 product = (unsigned __int128) a * b;

        return (uint64_t) product ^ (uint64_t) (product >> 64);
}

#define SEED_0 0x9E3779B97F4A7C15U      /* odd, with well spread bits */
#define SEED_1 0xD6E8FEB86659FD93U
#define SEED_2 0xA0761D6478BD642FU

/**
 * lookup_cache_hash() - the hash of a key, for the other functions
 * @n: bytes of @key
 *
 * 32 bytes at a time, in two independent strands; the rest by words, of which the last may overlap the one
 * before.
 */
uint64_t lookup_cache_hash(const char *key, size_t n) {
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
 * lookup_cache_get() - find the answer to a key
 *
 * Return: the answer, borrowed until the next lookup_cache_put(), aligned for types of up to 8 bytes; NULL:
 * it is not there.
 */
const void *lookup_cache_get(const LookupCache *c, uint64_t hash, const char *key, size_t n) {
        const uint8_t *at;
        uint64_t slot;
        Record r;

        assert(c && key);

        slot = c->slots[hash & (c->n_slots - 1)];
        if (slot == 0 || (slot ^ hash) & ~PLACE_MASK)
                return NULL;
        slot &= PLACE_MASK;
        if (slot - 1 + c->size_bytes < c->head)
                return NULL;

        at = c->ring + ((slot - 1) & (c->size_bytes - 1));
        memcpy(&r, at, sizeof(r));
        if (r.hash != hash || r.key_length != n || memcmp(at + sizeof(r) + r.answer_size, key, n) != 0)
                return NULL;

        return at + sizeof(r);
}

/**
 * lookup_cache_put() - make room for an answer in place of the oldest ones
 * @size: bytes of the answer; a multiple of 8 keeps what follows aligned
 *
 * Return: the room, to be filled in by the caller; the copy of the key is right behind it. NULL: the answer
 * is too large for the cache.
 */
void *lookup_cache_put(LookupCache *c, uint64_t hash, const char *key, size_t n, size_t size) {
        size_t room, need;
        uint8_t *at;

        assert(c && key);

        if (n > c->size_bytes / SHARE_MAX || size > c->size_bytes / SHARE_MAX)
                return NULL;
        need = (sizeof(Record) + size + n + 1 + 7) & ~(size_t) 7;
        if (need > c->size_bytes / SHARE_MAX)
                return NULL;

        room = c->size_bytes - (c->head & (c->size_bytes - 1));
        if (need > room)
                c->head += room;        /* a record never wraps around */

        at = c->ring + (c->head & (c->size_bytes - 1));
        memcpy(at, &(Record) { .hash = hash, .key_length = (uint32_t) n, .answer_size = (uint32_t) size },
               sizeof(Record));
        memcpy(at + sizeof(Record) + size, key, n);
        at[sizeof(Record) + size + n] = '\0';

        c->slots[hash & (c->n_slots - 1)] = (hash & ~PLACE_MASK) | (c->head + 1);
        c->head += need;
        return at + sizeof(Record);
}

/* Forgets all answers, and gives up the reference to the index. */
void lookup_cache_clear(LookupCache *c) {
        assert(c);

        memset(c->slots, 0, c->n_slots * sizeof(*c->slots));
        c->index = index_unref(c->index);
}

/*
 * Remembers the last answer. Its strings live as long as the index, except for those that are the normalised
 * key: in the copy these point to the key behind it, which is the copy of the key as it was asked for if
 * that is normalised.
 */
static void remember(LookupCache *c, uint64_t hash, const char *key, size_t length) {
        const IndexAnswer *last = &c->last;
        size_t size = sizeof(Answer) + last->n_matches * sizeof(IndexMatch), n_behind = 0;
        char *behind;
        Answer *copy;

        if (memcmp(key, last->key, length) != 0)
                n_behind = length + 1;
        copy = lookup_cache_put(c, hash, key, length, size + n_behind);
        if (!copy)
                return;

        behind = (char *) copy + size;
        memcpy(behind, last->key, n_behind);
        copy->n_matches = last->n_matches;
        for (size_t i = 0; i < copy->n_matches; i++) {
                IndexMatch *m = &copy->matches[i];

                *m = last->matches[i];
                if (m->alias == last->key)
                        m->alias = behind;
                if (m->option_key == last->key)
                        m->option_key = behind;
        }
}

/**
 * lookup_cache_find() - the answer of index_lookup(), from the cache if the key was asked for lately
 * @index: if it is not the same as before, all answers are forgotten
 * @ret:   borrowed until the next call; any pointer if there are no matches
 *
 * Return: as index_lookup().
 */
int lookup_cache_find(LookupCache *c, const Index *index, const char *key, const IndexMatch **ret,
                      size_t *ret_n) {
        const Answer *answer;
        uint64_t hash;
        size_t length;
        int r;

        assert(c && index && key && ret && ret_n);

        length = strlen(key);
        if (length > REQUEST_KEY_MAX)
                return -ENAMETOOLONG;
        if (index != c->index) {
                lookup_cache_clear(c);
                c->index = index_ref(index);
        }

        hash = lookup_cache_hash(key, length);
        answer = lookup_cache_get(c, hash, key, length);
        if (answer) {
                *ret = answer->matches;
                *ret_n = answer->n_matches;
                return 0;
        }

        r = index_lookup(index, key, &c->last);
        if (r < 0)
                return r;
        remember(c, hash, key, length);
        *ret = c->last.matches;
        *ret_n = c->last.n_matches;
        return 0;
}
