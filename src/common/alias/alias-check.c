/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AliasCheck: walks once through a trie that came from a file. Owns nothing. Whatever the file says, no
 * look-up in what passes reads or writes outside of the arrays, or goes round in a circle; whether its
 * answers are right is for the checksum to say.
 *
 * alias-trie.c makes a node before what is below it, and that in ascending order, with nothing in between.
 * So the next node or leaf always begins where the one before it ends: the walk is one pass over the cells,
 * and each has exactly one reference. What alias-trie.c counts is counted anew.
 */

#include "common/alias/alias-check.h"

#include <assert.h>

#include "common/alias/alias-trie.h"
#include "common/base/array.h"
#include "common/base/util.h"

typedef enum Edge {                     /* what a reference may lead to */
        EDGE_PLAIN,                     /* a leaf, or a node that is not behind a '*' */
        EDGE_STAR,                      /* a leaf, or a node that is */
        EDGE_LEAF,
        EDGE_TO_STAR,                   /* a node with nothing but a run and an edge of '*' */
} Edge;

typedef struct Pending {                /* a reference that is not followed yet */
        uint32_t reference;
        Edge edge;
        size_t waiting;                 /* as in alias-trie.c */
} Pending;

typedef struct Check {
        AliasMatcher *m;
        Pending *pending;
        size_t n_pending, n_allocated;
        size_t cell;                    /* where the next node or leaf has to be */
        size_t end;                     /* behind the last one */
        uint32_t n_leaves;
} Check;

static void check_done(Check *c) {
        free(c->pending);
}

static bool has_cells(const Check *c, size_t at, size_t n) {
        return at <= c->end && n <= c->end - at;
}

static int add_reference(Check *c, uint32_t reference, Edge edge, size_t waiting) {
        int r;

        r = array_reserve(&c->pending, &c->n_allocated, c->n_pending + 1, sizeof(*c->pending));
        if (r < 0)
                return r;
        c->pending[c->n_pending++] = (Pending) { .reference = reference, .edge = edge, .waiting = waiting };
        return 0;
}

static int compare_descending(const void *a, const void *b) {
        uint32_t x = ((const Pending *) a)->reference & ~TRIE_LEAF,
                 y = ((const Pending *) b)->reference & ~TRIE_LEAF;

        return (x < y) - (x > y);
}

/* Sorts the references of one node, so that the first place comes last, from where it is taken. */
static void sort_pending(Pending *p, size_t n) {
        if (n > 16) {                   /* a block; its references are in no order */
                qsort(p, n, sizeof(*p), compare_descending);
                return;
        }
        for (size_t i = 1; i < n; i++) {
                Pending one = p[i];
                size_t j = i;

                for (; j > 0 && compare_descending(&p[j - 1], &one) > 0; j--)
                        p[j] = p[j - 1];
                p[j] = one;
        }
}

/* The rest of a leaf: a string, or the number of the cell where one begins. Return: its cells; 0: it is broken. */
static size_t rest_cells(const Check *c, size_t at, uint32_t head) {
        const char *rest = (const char *) (c->m->cells + at), *nul;

        if (!has_cells(c, at, 1))
                return 0;
        if (head & TRIE_REST_ELSEWHERE)
                return c->m->cells[at] < c->end; /* what is behind the end is 0, so every string ends */
        nul = memchr(rest, '\0', (c->end - at) * sizeof(*c->m->cells));
        return nul ? trie_byte_cells((size_t) (nul - rest) + 1) : 0;
}

static int check_leaf(Check *c, uint32_t reference) {
        AliasMatcher *m = c->m;
        size_t at = c->cell, entries, n;
        uint32_t head = m->cells[at];

        entries = trie_entries_at(head);
        n = head & TRIE_ENTRIES_MASK;
        if (!has_cells(c, at, entries + n * TRIE_ENTRY_CELLS))
                return -EBADMSG;
        if (c->n_leaves >= m->n_patterns || m->patterns[c->n_leaves].leaf != reference ||
            m->patterns[c->n_leaves].text != m->cells[at + 1])
                return -EBADMSG;
        if (head & TRIE_BELOW_STAR && m->cells[at + 2] != m->n_leaves_below_star++)
                return -EBADMSG;
        for (size_t i = 0; i < n; i++) {
                const TrieEntry *e = (const TrieEntry *) (m->cells + at + entries + i * TRIE_ENTRY_CELLS);

                if (e->value >= m->values_size || e->value % VALUE_ALIGNMENT != 0)
                        return -EBADMSG;
        }
        m->n_entries += n;
        c->n_leaves++;

        at += entries + n * TRIE_ENTRY_CELLS;
        n = rest_cells(c, at, head);
        c->cell = at + n;
        return n > 0 ? 0 : -EBADMSG;
}

static int check_classes(Check *c, const uint32_t *classes, size_t n, size_t waiting) {
        for (size_t i = 0; i < n; i++) {
                int r;

                if (classes[2 * i] != TRIE_OPAQUE && classes[2 * i] >= c->m->n_classes)
                        return -EBADMSG;
                r = add_reference(c, classes[2 * i + 1],
                                  classes[2 * i] == TRIE_OPAQUE ? EDGE_LEAF : EDGE_PLAIN, waiting);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* @at: of the block. It is moved behind the block. */
static int check_block(Check *c, size_t *at, size_t waiting) {
        const uint32_t *block = c->m->cells + *at;
        size_t log, n_slots, n_free = 0;
        uint32_t length;

        if (!has_cells(c, *at, 1))
                return -EBADMSG;
        length = block[0] & 0xFFU;
        log = block[0] >> TRIE_BLOCK_LOG_SHIFT;
        if (length == 0 || length > TRIE_BLOCK_MAX || log == 0 || log > 24)
                return -EBADMSG;
        n_slots = (size_t) 1 << log;
        if (!has_cells(c, *at + 1, n_slots * TRIE_SLOT_CELLS))
                return -EBADMSG;
        for (size_t i = 0; i < n_slots; i++) {
                uint32_t reference = block[1 + i * TRIE_SLOT_CELLS + 2];
                int r = reference != 0 ? add_reference(c, reference, EDGE_PLAIN, waiting) : 0;

                if (r < 0)
                        return r;
                n_free += reference == 0;
        }
        *at += 1 + n_slots * TRIE_SLOT_CELLS;
        return n_free > 0 ? 0 : -EBADMSG; /* where a search ends */
}

#define SINGLE_EDGES (TRIE_HAS_STAR | TRIE_HAS_ANY | TRIE_HAS_END)

/* @at: behind the head. Return: 0 with the number of edges of "[..]"; -EBADMSG: the cells end before the node. */
static int count_classes(const Check *c, uint32_t head, size_t at, size_t *ret) {
        size_t n_single = (size_t) __builtin_popcount(head & SINGLE_EDGES);

        *ret = 0;
        if (!has_cells(c, at, n_single + (head & TRIE_HAS_CLASSES ? 1 : 0)))
                return -EBADMSG;
        if (head & TRIE_HAS_CLASSES)
                *ret = c->m->cells[at + n_single];
        return has_cells(c, at + n_single, *ret * 2 + (head & TRIE_HAS_CLASSES ? 1 : 0)) ? 0 : -EBADMSG;
}

/* The parts that only some nodes have. @at: behind the head; it is moved behind them. */
static int check_optional(Check *c, uint32_t head, size_t n_classes, size_t *at, size_t waiting) {
        static const struct {
                uint32_t flag;
                Edge edge;
        } single[] = { { TRIE_HAS_STAR, EDGE_STAR },
                       { TRIE_HAS_ANY, EDGE_PLAIN },
                       { TRIE_HAS_END, EDGE_LEAF } };
        const uint32_t *cells = c->m->cells;
        int r;

        for (size_t i = 0; i < ARRAY_LEN(single); i++) {
                if (!(head & single[i].flag))
                        continue;
                r = add_reference(c, cells[(*at)++], single[i].edge, waiting);
                if (r < 0)
                        return r;
        }
        if (head & TRIE_HAS_CLASSES) {
                r = check_classes(c, cells + *at + 1, n_classes, waiting);
                if (r < 0)
                        return r;
                *at += 1 + n_classes * 2;
        }
        if (head & TRIE_IS_STAR) {
                if (!has_cells(c, *at, TRIE_STAR_CELLS) || cells[*at] != c->m->n_stars++)
                        return -EBADMSG;
                *at += TRIE_STAR_CELLS;
        }
        return 0;
}

/* Do the bits of a head go together, and with the edge that leads to the node? */
static bool head_is_valid(uint32_t head, Edge edge) {
        uint32_t n_literals = head & TRIE_LITERALS_MASK, run = head >> TRIE_RUN_SHIFT & TRIE_RUN_MAX;
        bool is_star = head & TRIE_IS_STAR;

        if (edge == EDGE_LEAF || is_star != (edge == EDGE_STAR))
                return false;
        if (edge == EDGE_TO_STAR &&
            (!(head & TRIE_HAS_STAR) || (head & (TRIE_HAS_ANY | TRIE_HAS_END | TRIE_HAS_CLASSES))))
                return false;
        if (is_star && (run > 0 || (head & TRIE_HAS_BLOCK)))
                return false;
        if (head & TRIE_IS_ONCE &&
            (!is_star || n_literals != 1 || (head & (TRIE_HAS_ANY | TRIE_HAS_CLASSES))))
                return false;
        return !(head & TRIE_HAS_BLOCK) || n_literals == 0;
}

static int check_literals(Check *c, uint32_t head, size_t *at, size_t waiting) {
        size_t n = head & TRIE_LITERALS_MASK,
               n_bytes = trie_byte_cells(head >> TRIE_RUN_SHIFT & TRIE_RUN_MAX) + trie_byte_cells(n);
        Edge edge = head & TRIE_IS_ONCE ? EDGE_TO_STAR : EDGE_PLAIN;

        if (!has_cells(c, *at, n_bytes + n))
                return -EBADMSG;
        *at += n_bytes;
        for (size_t i = 0; i < n; i++) {
                int r = add_reference(c, c->m->cells[(*at)++], edge, waiting);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_node(Check *c, const Pending *here) {
        size_t at = c->cell, first = c->n_pending, waiting, n_classes;
        uint32_t head = c->m->cells[at++];
        int r;

        if (!head_is_valid(head, here->edge))
                return -EBADMSG;
        r = count_classes(c, head, at, &n_classes);
        if (r < 0)
                return r;
        waiting = here->waiting + n_classes + 3; /* as in build_node() */
        c->m->stack_max = MAX(c->m->stack_max, waiting + 1);

        r = check_optional(c, head, n_classes, &at, waiting);
        if (r >= 0)
                r = check_literals(c, head, &at, waiting);
        if (r >= 0 && head & TRIE_HAS_BLOCK)
                r = check_block(c, &at, waiting);
        if (r < 0)
                return r;

        sort_pending(c->pending + first, c->n_pending - first);
        c->cell = at;
        return 0;
}

static int check_trie(Check *c) {
        int r;

        r = add_reference(c, 0, EDGE_PLAIN, 0);
        while (r >= 0 && c->n_pending > 0) {
                Pending p = c->pending[--c->n_pending];

                if ((p.reference & ~TRIE_LEAF) != c->cell || !has_cells(c, c->cell, 1))
                        return -EBADMSG;
                if (p.reference & TRIE_LEAF)
                        r = p.edge == EDGE_TO_STAR ? -EBADMSG : check_leaf(c, p.reference);
                else
                        r = check_node(c, &p);
        }
        if (r < 0)
                return r;
        return c->cell == c->end && c->n_leaves == c->m->n_patterns ? 0 : -EBADMSG;
}

/*
 * Strings, and that the patterns are in the order of their bytes: a binary search relies on what they have in
 * common.
 */
static bool strings_are_valid(const AliasMatcher *m) {
        if (m->texts_size > 0 && m->texts[m->texts_size - 1] != '\0')
                return false;
        if (m->values_size > 0 && m->values[m->values_size - 1] != '\0')
                return false;
        for (size_t i = 0; i < m->n_patterns; i++) {
                if (m->patterns[i].text >= m->texts_size)
                        return false;
                if (i > 0 && strcmp(m->texts + m->patterns[i - 1].text, m->texts + m->patterns[i].text) >= 0)
                        return false;
        }
        return true;
}

/**
 * alias_check() - check the parts of a matcher, and count what is counted in it
 *
 * Return: 0; -EBADMSG: they are not what alias_matcher_seal() makes; -ENOMEM.
 */
int alias_check(AliasMatcher *m) {
        _cleanup_(check_done) Check c = { .m = m };

        assert(m);

        /* What is behind the last node or leaf may be read, too: eight bytes at a time. */
        if (m->n_cells < 1 + TRIE_CELLS_BEHIND || m->n_cells > TRIE_LEAF)
                return -EBADMSG;
        c.end = m->n_cells - TRIE_CELLS_BEHIND;
        for (size_t i = c.end; i < m->n_cells; i++)
                if (m->cells[i] != 0)
                        return -EBADMSG;
        m->stack_max = 1;
        return strings_are_valid(m) ? check_trie(&c) : -EBADMSG;
}
