/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AliasOrder: the order of a matcher's entries. They are sorted by priority; among equal ones libkmod
 * answers the last found first, and it finds the patterns of an index in the same order for every key: first
 * those with an earlier first wildcard, then '*' before '?' before '[', then in the order of bytes, but a
 * longer pattern before one that ends (index_mm_searchwild_node() and index_values_add() in
 * libkmod/libkmod-index.c). So the order is computed once, when the matcher is sealed.
 */

#include "common/alias/alias-order.h"

#include "common/alias/alias-trie.h"
#include "common/base/util.h"

static int compare_texts(const void *a, const void *b, void *userdata) {
        const AliasMatcher *m = userdata;
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
        int r;

        r = strcmp(m->texts + m->entries[x].text, m->texts + m->entries[y].text);
        return r != 0 ? r : (x > y) - (x < y);
}

/**
 * alias_sort_by_text() - sort the entries by the bytes of their patterns, equal ones by when they were added
 * @ret: numbers of entries, to be freed
 *
 * An index is read in this order, so mostly nothing has to be done.
 *
 * Return: 0; -ENOMEM.
 */
int alias_sort_by_text(AliasMatcher *m, uint32_t **ret) {
        uint32_t *sorted;
        bool is_sorted = true;

        sorted = reallocarray(NULL, m->n_entries + 1, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;
        for (uint32_t i = 0; i < m->n_entries; i++) {
                sorted[i] = i;
                if (i > 0 && compare_texts(&sorted[i - 1], &sorted[i], m) > 0)
                        is_sorted = false;
        }
        if (!is_sorted)
                qsort_r(sorted, m->n_entries, sizeof(*sorted), compare_texts, m);
        *ret = sorted;
        return 0;
}

/* Which of two patterns libkmod's search finds first, if both match the same key; < 0: @a. */
static int compare_discovery(const char *a, const char *b) {
        bool wild = false;

        for (; *a && *a == *b; a++, b++)
                wild = wild || trie_is_wildcard(*a);
        if (!wild && trie_is_wildcard(*a) != trie_is_wildcard(*b))
                return trie_is_wildcard(*a) ? -1 : 1;
        if (!*a || !*b)
                return !*a - !*b;
        return (uint8_t) *a - (uint8_t) *b;
}

/* The order of answers among equal priorities. */
static int compare_equals(const void *a, const void *b, void *userdata) {
        const AliasMatcher *m = userdata;
        uint32_t x = (uint32_t) *(const uint64_t *) a, y = (uint32_t) *(const uint64_t *) b;
        int r = 0;

        if (m->dialect == ALIAS_INDEX)
                r = compare_discovery(m->texts + m->entries[y].text, m->texts + m->entries[x].text);
        if (r == 0)
                r = m->dialect == ALIAS_INDEX ? (y > x) - (y < x) : (x > y) - (x < y);
        return r;
}

/* A stable sort by priority: one pass for each byte in which the priorities differ. */
static void sort_by_priority(uint64_t *keys, uint64_t *scratch, size_t n) {
        uint64_t *from = keys, *to = scratch;

        for (unsigned shift = 32; shift < 64; shift += 8) {
                size_t counts[256] = {}, start = 0;
                uint64_t *other = from;

                for (size_t i = 0; i < n; i++)
                        counts[from[i] >> shift & 0xff]++;
                if (n == 0 || counts[from[0] >> shift & 0xff] == n)
                        continue;
                for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
                        size_t count = counts[i];

                        counts[i] = start;
                        start += count;
                }
                for (size_t i = 0; i < n; i++)
                        to[counts[from[i] >> shift & 0xff]++] = from[i];
                from = to;
                to = other;
        }
        if (from != keys)
                memcpy(keys, from, n * sizeof(*keys));
}

/*
 * Sorts keys of one priority, which are in the order in which the entries were added. For an index that is
 * the order of their bytes, and the reverse is nearly always the order of answers.
 */
static void sort_equals(AliasMatcher *m, uint64_t *keys, size_t n) {
        size_t i;

        if (m->dialect == ALIAS_INDEX)
                for (i = 0; i < n / 2; i++) {
                        uint64_t key = keys[i];

                        keys[i] = keys[n - 1 - i];
                        keys[n - 1 - i] = key;
                }
        for (i = 1; i < n && compare_equals(&keys[i - 1], &keys[i], m) < 0; i++)
                ;
        if (i < n)
                qsort_r(keys, n, sizeof(*keys), compare_equals, m);
}

/**
 * alias_order_entries() - give each entry its place in the order of answers
 *
 * Return: 0; -ENOMEM.
 */
int alias_order_entries(AliasMatcher *m) {
        _cleanup_(freep) uint64_t *keys = NULL; /* priority, then the entry's number */

        keys = reallocarray(NULL, m->n_entries + 1, 2 * sizeof(*keys));
        if (!keys)
                return -ENOMEM;
        for (uint32_t i = 0; i < m->n_entries; i++)
                keys[i] = (uint64_t) m->entries[i].priority << 32 | i;
        sort_by_priority(keys, keys + m->n_entries, m->n_entries);

        for (size_t i = 0, j; i < m->n_entries; i = j) {
                for (j = i + 1; j < m->n_entries && keys[i] >> 32 == keys[j] >> 32; j++)
                        ;
                if (j - i > 1)
                        sort_equals(m, keys + i, j - i);
        }
        for (uint32_t i = 0; i < m->n_entries; i++)
                m->entries[(uint32_t) keys[i]].ordinal = i;
        return 0;
}
