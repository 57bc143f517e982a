/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AliasMatcher: all alias patterns of one kind, to find those that match a key. Owns copies of all strings;
 * one that is made of parts (alias_matcher_new_from_parts()) borrows all of its arrays.
 *
 * The patterns, sorted by their bytes, become a trie. An edge is a byte, '?', '*' or a "[..]". The bytes
 * that all patterns below a node have in common are its run, and are compared at once. Where only one
 * pattern is left, there is a leaf, and the rest of the text is matched by glob_match(). So is what no edge
 * can be: escapes, and brackets with anything but bytes and ranges. alias-trie.c builds the trie,
 * alias-lookup.c walks it.
 *
 * Answers are in the order that alias-order.c gives the entries.
 *
 * ALIAS_INDEX differs from ALIAS_FNMATCH in two rare cases, as libkmod's search of an index does: before the
 * first wildcard a backslash is a plain byte, and keys may have wildcards (see alias-lookup.c).
 */

#include "common/alias/alias-matcher.h"

#include <assert.h>

#include "common/alias/alias-check.h"
#include "common/alias/alias-order.h"
#include "common/alias/alias-trie.h"
#include "common/base/array.h"
#include "common/base/hash.h"

#define STRINGS_MAX 0x3FFFFFFFU         /* bytes of all texts: the cells made of them have numbers of 32 bits */
#define NO_VALUE UINT32_MAX             /* in a slot */

/**
 * alias_matcher_new() - make a matcher without patterns, to be filled and sealed
 *
 * Return: 0; -ENOMEM.
 */
int alias_matcher_new(AliasMatcher **ret, AliasDialect dialect) {
        AliasMatcher *m;

        assert(ret);

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->dialect = dialect;
        *ret = m;
        return 0;
}

AliasMatcher *alias_matcher_free(AliasMatcher *m) {
        if (!m)
                return NULL;

        if (!m->borrowed) {
                free(m->texts);
                free(m->values);
                free(m->patterns);
                free(m->cells);
                free(m->classes);
        }
        free(m->entries);
        free(m->value_slots);
        free(m);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------ filling */

static int append_string(char **strings, size_t *size, size_t *allocated, const char *s,
                         uint32_t *ret_offset) {
        size_t n = strlen(s) + 1;
        int r;

        if (n > STRINGS_MAX || *size > STRINGS_MAX - n)
                return -EFBIG;
        r = array_reserve(strings, allocated, *size + n, 1);
        if (r < 0)
                return r;

        memcpy(*strings + *size, s, n);
        *ret_offset = (uint32_t) *size;
        *size += n;
        return 0;
}

/* The slot of a value, or the free slot where it belongs. */
static uint32_t *find_value_slot(const AliasMatcher *m, const char *value) {
        size_t i = hash_string(value) & (m->n_value_slots - 1);

        while (m->value_slots[i] != NO_VALUE && !streq(m->values + m->value_slots[i], value))
                i = (i + 1) & (m->n_value_slots - 1);
        return &m->value_slots[i];
}

static int grow_value_slots(AliasMatcher *m) {
        _cleanup_(freep) uint32_t *old = NULL;
        size_t n_old = m->n_value_slots, n = MAX(n_old * 2, (size_t) 256);
        uint32_t *slots;

        slots = reallocarray(NULL, n, sizeof(*slots));
        if (!slots)
                return -ENOMEM;
        memset(slots, 0xff, n * sizeof(*slots));        /* NO_VALUE */

        old = m->value_slots;
        m->value_slots = slots;
        m->n_value_slots = n;
        for (size_t i = 0; i < n_old; i++)
                if (old[i] != NO_VALUE)
                        *find_value_slot(m, m->values + old[i]) = old[i];
        return 0;
}

/* Keeps each value once: there are ten times more aliases than modules. */
static int intern_value(AliasMatcher *m, const char *value, uint32_t *ret_offset) {
        uint32_t *slot;
        int r;

        if (m->n_values * 2 >= m->n_value_slots) {
                r = grow_value_slots(m);
                if (r < 0)
                        return r;
        }

        slot = find_value_slot(m, value);
        if (*slot == NO_VALUE) {
                size_t end = m->values_size;

                m->values_size += -end % VALUE_ALIGNMENT;
                r = append_string(&m->values, &m->values_size, &m->values_allocated, value, slot);
                if (r < 0)
                        return r;
                memset(m->values + end, 0, *slot - end); /* nothing from the heap gets into a file */
                m->n_values++;
        }
        *ret_offset = *slot;
        return 0;
}

/**
 * alias_matcher_add() - add one pattern; only before the matcher is sealed
 * @pattern:  bytes, copied; any string is allowed, also one that matches nothing
 * @value:    copied
 * @priority: lower ones come first in the answer
 *
 * Return: 0; -EFBIG: more than 1 GiB of patterns; -ENOMEM.
 */
int alias_matcher_add(AliasMatcher *m, const char *pattern, const char *value, uint32_t priority) {
        AliasEntry e = { .priority = priority };
        int r;

        assert(m && pattern && value);
        assert(!m->sealed);

        r = array_reserve(&m->entries, &m->n_entries_allocated, m->n_entries + 1, sizeof(*m->entries));
        if (r < 0)
                return r;
        r = intern_value(m, value, &e.value);
        if (r < 0)
                return r;
        r = append_string(&m->texts, &m->texts_size, &m->texts_allocated, pattern, &e.text);
        if (r < 0)
                return r;

        m->entries[m->n_entries++] = e;
        return 0;
}

/**
 * alias_matcher_seal() - compute everything that look-ups need; afterwards no pattern can be added
 *
 * Return: 0; -ENOMEM: the matcher can only be freed.
 */
int alias_matcher_seal(AliasMatcher *m) {
        _cleanup_(freep) uint32_t *sorted = NULL;
        int r;

        assert(m);
        assert(!m->sealed);

        free(STEAL_PTR(m->value_slots));
        m->n_value_slots = 0;
        array_shrink(&m->texts, &m->texts_allocated, m->texts_size, 1);
        array_shrink(&m->values, &m->values_allocated, m->values_size, 1);

        r = alias_sort_by_text(m, &sorted);
        if (r < 0)
                return r;
        r = alias_order_entries(m);
        if (r < 0)
                return r;
        r = alias_trie_build(m, sorted);
        if (r < 0)
                return r;

        free(STEAL_PTR(m->entries));
        m->n_entries_allocated = 0;
        array_shrink(&m->cells, &m->n_cells_allocated, m->n_cells, sizeof(*m->cells));
        m->sealed = true;
        return 0;
}

/**
 * alias_matcher_get_parts() - what a sealed matcher consists of, for alias_matcher_new_from_parts()
 * @ret: _ALIAS_PART_MAX arrays, borrowed from @m
 */
void alias_matcher_get_parts(const AliasMatcher *m, struct iovec *ret) {
        assert(m && m->sealed && ret);

        ret[ALIAS_TEXTS] = (struct iovec) { m->texts, m->texts_size };
        ret[ALIAS_VALUES] = (struct iovec) { m->values, m->values_size };
        ret[ALIAS_PATTERNS] = (struct iovec) { m->patterns, m->n_patterns * sizeof(*m->patterns) };
        ret[ALIAS_CELLS] = (struct iovec) { m->cells, m->n_cells * sizeof(*m->cells) };
        ret[ALIAS_CLASSES] = (struct iovec) { m->classes, m->n_classes * sizeof(*m->classes) };
}

/**
 * alias_matcher_new_from_parts() - a sealed matcher from what alias_matcher_get_parts() gave
 * @parts: from anywhere, each aligned to 8 bytes: all of it is checked. Borrowed as long as the matcher is there
 *
 * Return: 0; -EBADMSG: they are no such matcher; -ENOMEM.
 */
int alias_matcher_new_from_parts(AliasMatcher **ret, AliasDialect dialect, const struct iovec *parts) {
        _cleanup_(alias_matcher_freep) AliasMatcher *m = NULL;
        int r;

        assert(ret && parts);

        if (parts[ALIAS_PATTERNS].iov_len % sizeof(*m->patterns) != 0 ||
            parts[ALIAS_CELLS].iov_len % sizeof(*m->cells) != 0 ||
            parts[ALIAS_CLASSES].iov_len % sizeof(*m->classes) != 0)
                return -EBADMSG;

        r = alias_matcher_new(&m, dialect);
        if (r < 0)
                return r;
        m->borrowed = true;
        m->texts = parts[ALIAS_TEXTS].iov_base;
        m->texts_size = parts[ALIAS_TEXTS].iov_len;
        m->values = parts[ALIAS_VALUES].iov_base;
        m->values_size = parts[ALIAS_VALUES].iov_len;
        m->patterns = parts[ALIAS_PATTERNS].iov_base;
        m->n_patterns = parts[ALIAS_PATTERNS].iov_len / sizeof(*m->patterns);
        m->cells = parts[ALIAS_CELLS].iov_base;
        m->n_cells = parts[ALIAS_CELLS].iov_len / sizeof(*m->cells);
        m->classes = parts[ALIAS_CLASSES].iov_base;
        m->n_classes = parts[ALIAS_CLASSES].iov_len / sizeof(*m->classes);
        r = alias_check(m);
        if (r < 0)
                return r;
        m->sealed = true;

        *ret = STEAL_PTR(m);
        return 0;
}

/**
 * alias_matcher_count() - number of patterns
 */
size_t alias_matcher_count(const AliasMatcher *m) {
        assert(m);

        return m->n_entries;
}

/**
 * alias_matcher_value_ids() - size of an array that is indexed by the value_id of AliasMatch
 */
size_t alias_matcher_value_ids(const AliasMatcher *m) {
        assert(m);

        return m->values_size / VALUE_ALIGNMENT + 1;
}

/**
 * alias_matcher_next_value() - iterate over all values
 * @after: the previous value; NULL: return the first
 *
 * Return: NULL after the last one.
 */
const char *alias_matcher_next_value(const AliasMatcher *m, const char *after, uint32_t *ret_id) {
        size_t at = 0;

        assert(m && ret_id);

        if (after) {
                at = (size_t) (after - m->values) + strlen(after) + 1;
                at += -at % VALUE_ALIGNMENT;
        }
        if (at >= m->values_size)
                return NULL;
        *ret_id = (uint32_t) (at / VALUE_ALIGNMENT);
        return m->values + at;
}

/**
 * alias_matcher_size_bytes() - memory of a sealed matcher, without look-ups
 */
size_t alias_matcher_size_bytes(const AliasMatcher *m) {
        assert(m);
        assert(m->sealed);

        return sizeof(*m) + m->texts_allocated + m->values_allocated +
               (m->n_entries + 1) * sizeof(*m->patterns) + m->n_cells_allocated * sizeof(*m->cells) +
               m->n_classes_allocated * sizeof(*m->classes);
}
