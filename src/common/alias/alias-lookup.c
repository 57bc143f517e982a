/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AliasLookup: asks AliasMatchers. Owns the memory for answers and the marks of one walk; borrows the
 * matcher during a look-up.
 *
 * The walk keeps a stack of (node, position in the key). After a '*' each later position is tried once,
 * whichever way the walk came there: a mark says so. Every other edge takes one byte. So no node is visited
 * twice at one position, and the walk takes at most (length of the key) x (size of the trie) steps. Memory
 * is allocated only when a matcher is larger, or a look-up has more answers, than any before.
 *
 * libkmod's search of an index also compares wildcards of a pattern with the bytes of the key: for the key
 * "a*" it finds the pattern "a*" twice, once as a wildcard and once by its bytes, and for the key "a[b]" it
 * finds the pattern "a[b]", which does not match at all. Its answer depends on where depmod's trie branches.
 * Such keys hardly ever occur; they are searched as libkmod does, in the sorted patterns
 * (search_like_libkmod()).
 */

#include "common/alias/alias-lookup.h"

#include <assert.h>

#include "common/alias/alias-trie.h"
#include "common/base/array.h"
#include "common/base/glob.h"
#include "common/base/bytes8.h"

typedef struct Frame {
        uint32_t node;
        size_t position;                /* in the key; after a '*': the next one to try */
} Frame;

typedef struct Found {
        uint64_t rank;                  /* sorted by this first, then by the ordinal */
        uint32_t ordinal;
        uint32_t cell;                  /* of its entry */
        uint32_t text;                  /* of the pattern */
} Found;

struct AliasLookup {
        const AliasMatcher *matcher;    /* of this look-up, as is the key */
        const char *key;
        size_t key_length;
        uint32_t generation;            /* number of the look-up; marks with another number do not count */
        uint32_t *found_in;             /* by number of a leaf below a '*': the look-up that found it */
        uint32_t *tried_in;             /* likewise: the look-up that came to the first '*' in its rest */
        uint32_t *entered_in;           /* by number of a '*': the look-up that came to it */
        size_t n_leaves, n_stars;       /* marks that there is room for */
        Frame *stack;
        size_t n_stack, n_stack_allocated;

        Found *found;
        size_t n_found, n_found_allocated;
        AliasMatch *matches;
        size_t n_matches_allocated;
        int error;                      /* the look-up ran out of memory */
};

/* Return: 0; -ENOMEM. */
int alias_lookup_new(AliasLookup **ret) {
        assert(ret);

        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

AliasLookup *alias_lookup_free(AliasLookup *l) {
        if (!l)
                return NULL;

        free(l->found_in);
        free(l->tried_in);
        free(l->entered_in);
        free(l->stack);
        free(l->found);
        free(l->matches);
        free(l);
        return NULL;
}

static const char *pattern_text(const AliasMatcher *m, uint32_t pattern) {
        return m->texts + m->patterns[pattern].text;
}

/* ------------------------------------------------------------------------------------------------ answers */

/* Adds all entries of a leaf to the answers. */
static void take_leaf(AliasLookup *l, uint32_t reference, uint32_t rank_low) {
        const uint32_t *leaf = l->matcher->cells + (reference & ~TRIE_LEAF);
        uint32_t n = leaf[0] & TRIE_ENTRIES_MASK;

        if (array_reserve(&l->found, &l->n_found_allocated, l->n_found + n, sizeof(*l->found)) < 0) {
                l->error = -ENOMEM;
                return;
        }

        for (uint32_t i = 0; i < n; i++) {
                const uint32_t *cell = leaf + trie_entries_at(leaf[0]) + i * TRIE_ENTRY_CELLS;
                const TrieEntry *e = (const TrieEntry *) cell;

                l->found[l->n_found++] = (Found) {
                        .rank = rank_low == 0 ? 0 : (uint64_t) e->priority << 32 | rank_low,
                        .ordinal = e->ordinal,
                        .cell = (uint32_t) (cell - l->matcher->cells),
                        .text = leaf[1],
                };
        }
}

static bool found_after(const Found *a, const Found *b) {
        return a->rank != b->rank ? a->rank > b->rank : a->ordinal > b->ordinal;
}

/* Shell's sort: mostly there are one to three answers, and qsort(3) may allocate. */
static void sort_found(Found *found, size_t n) {
        size_t gap = 1;

        while (gap < n / 3)
                gap = gap * 3 + 1;
        for (; gap > 0; gap /= 3)
                for (size_t i = gap; i < n; i++) {
                        Found f = found[i];
                        size_t j = i;

                        for (; j >= gap && found_after(&found[j - gap], &f); j -= gap)
                                found[j] = found[j - gap];
                        found[j] = f;
                }
}

static int make_matches(AliasLookup *l) {
        const AliasMatcher *m = l->matcher;
        int r;

        r = array_reserve(&l->matches, &l->n_matches_allocated, l->n_found, sizeof(*l->matches));
        if (r < 0)
                return r;
        sort_found(l->found, l->n_found);
        for (size_t i = 0; i < l->n_found; i++) {
                const TrieEntry *e = (const TrieEntry *) (m->cells + l->found[i].cell);

                l->matches[i] = (AliasMatch) {
                        .pattern = m->texts + l->found[i].text,
                        .value = m->values + e->value,
                        .priority = e->priority,
                        .value_id = e->value / VALUE_ALIGNMENT,
                };
        }
        return 0;
}

/* ----------------------------------------------------------------------------------------------- the walk */

/*
 * Matches the part of the rest before the first wildcard, where a backslash is a plain byte.
 */
static bool match_raw(const char **rest, const char **key) {
        size_t n = strcspn(*rest, "*?[");

        if (strncmp(*rest, *key, n) != 0)
                return false;
        *rest += n;
        *key += n;
        return true;
}

/*
 * Only one pattern is left: matches its rest against the key from @position.
 *
 * Below a '*' this happens for one position after the other. Then the first '*' in the rest counts: the
 * first time that the walk comes to it, glob_match() tries all positions from there on, and these include
 * the later ones.
 */
static void check_leaf(AliasLookup *l, uint32_t reference, size_t position) {
        const uint32_t *leaf = l->matcher->cells + (reference & ~TRIE_LEAF);
        const uint32_t *behind = leaf + trie_entries_at(leaf[0]) +
                                 (leaf[0] & TRIE_ENTRIES_MASK) * TRIE_ENTRY_CELLS;
        const char *rest, *key = l->key + position, *start;
        uint32_t number = leaf[2];      /* if it is below a '*' */

        start = rest = (const char *) (leaf[0] & TRIE_REST_ELSEWHERE ? l->matcher->cells + *behind : behind);

        /* libkmod calls fnmatch(3) only for what begins with a wildcard. */
        if ((leaf[0] & TRIE_IS_RAW) && !match_raw(&rest, &key))
                return;
        if (!glob_match_head(&rest, &key))
                return;

        if (leaf[0] & TRIE_BELOW_STAR) {
                if (l->found_in[number] == l->generation)
                        return;
                /* Not if an earlier '*' is in brackets, which can mean many things. */
                if (*rest == '*' && rest == strchr(start, '*')) {
                        if (l->tried_in[number] == l->generation)
                                return;
                        l->tried_in[number] = l->generation;
                }
        }
        if (!(rest[0] == '*' && rest[1] == '\0') && !glob_match(rest, key))
                return;                 /* most end with a '*' */
        if (leaf[0] & TRIE_BELOW_STAR)
                l->found_in[number] = l->generation;
        take_leaf(l, reference, 0);
}

static void push(AliasLookup *l, uint32_t node, size_t position) {
        assert(l->n_stack < l->matcher->stack_max);

        l->stack[l->n_stack++] = (Frame) { .node = node, .position = position };
}

/* Follows an edge that took one byte: to a leaf now, to a node later. */
static void follow(AliasLookup *l, uint32_t reference, size_t position) {
        if (reference & TRIE_LEAF)
                check_leaf(l, reference, position);
        else
                push(l, reference, position);
}

typedef struct Node {                   /* the cells of a node, decoded */
        uint32_t head;
        uint32_t star, any, end;        /* as the head says */
        const uint32_t *classes;        /* class, reference */
        uint32_t n_classes;
        const uint32_t *starts;         /* behind its number */
        const char *run;
        uint32_t run_length;
        const uint8_t *labels;
        const uint32_t *literals;
        uint32_t n_literals;
} Node;

#define TRIE_HAS_MORE (TRIE_HAS_STAR | TRIE_HAS_ANY | TRIE_HAS_END | TRIE_HAS_CLASSES | TRIE_IS_STAR)

static inline Node read_node(const AliasMatcher *m, uint32_t reference) {
        const uint32_t *p = m->cells + reference;
        Node n = { .head = *p++ };

        if (n.head & TRIE_HAS_MORE) {
                if (n.head & TRIE_HAS_STAR)
                        n.star = *p++;
                if (n.head & TRIE_HAS_ANY)
                        n.any = *p++;
                if (n.head & TRIE_HAS_END)
                        n.end = *p++;
                if (n.head & TRIE_HAS_CLASSES) {
                        n.n_classes = *p++;
                        n.classes = p;
                        p += n.n_classes * (size_t) 2;
                }
                if (n.head & TRIE_IS_STAR) {
                        n.starts = p + 1;
                        p += TRIE_STAR_CELLS;
                }
        }
        n.run = (const char *) p;
        n.run_length = n.head >> TRIE_RUN_SHIFT & TRIE_RUN_MAX;
        p += trie_byte_cells(n.run_length);
        n.labels = (const uint8_t *) p;
        n.n_literals = n.head & TRIE_LITERALS_MASK;
        n.literals = p + trie_byte_cells(n.n_literals);
        return n;
}

static void check_opaque(AliasLookup *l, const Node *n, size_t position) {
        for (uint32_t i = 0; i < n->n_classes; i++)
                if (n->classes[2 * i] == TRIE_OPAQUE)
                        check_leaf(l, n->classes[2 * i + 1], position);
}

/*
 * Return: the first position from @position on where the pattern can go on after the '*'; the length of the
 * key if there is none.
 */
static size_t find_start(const AliasLookup *l, const Node *n, size_t position) {
        const char *found;

        if (n->n_literals == 1 && !(n->head & (TRIE_HAS_ANY | TRIE_HAS_CLASSES))) {
                found = memchr(l->key + position, n->labels[0], l->key_length - position);
                return found ? (size_t) (found - l->key) : l->key_length;
        }
        while (position < l->key_length && !byte_set_has(n->starts, (uint8_t) l->key[position]))
                position++;
        return position;
}

/* Most runs are short. Eight bytes can be read at any place: cells are added behind the last node. */
static inline bool run_matches(const AliasLookup *l, const char *run, uint32_t n, size_t position) {
        const char *key = l->key + position;
        size_t left = l->key_length - position;

        if (n == 0)
                return true;
        if (n > left)
                return false;
        if (n > sizeof(uint64_t) || left < sizeof(uint64_t))
                return memcmp(key, run, n) == 0;
        return (word_read(key) ^ word_read(run)) << (64 - 8 * n) == 0;
}

/*
 * Where the edge of a byte leads; 0: there is none. Compares eight labels at a time; at least as many bytes
 * of references follow the last, so eight bytes can be read there as well.
 */
static inline uint32_t find_literal(const uint8_t *labels, uint32_t n, uint8_t c) {
        const uint32_t *literals = (const uint32_t *) labels + trie_byte_cells(n);

        for (uint32_t i = 0; i < n; i += 8) {
                uint64_t found = word_find(word_read(labels + i), c);

                if (found) {
                        i += (uint32_t) __builtin_ctzll(found) / 8;
                        return i < n ? literals[i] : 0;
                }
        }
        return 0;
}

/* Where the block of a node leads from @position, which is moved over its bytes; 0: nowhere. */
static inline uint32_t find_word(const AliasLookup *l, const uint32_t *block, size_t *position) {
        uint32_t n = block[0] & 0xFFU, log = block[0] >> TRIE_BLOCK_LOG_SHIFT;
        size_t left = l->key_length - *position, slot;
        const uint32_t *slots = block + 1, *p;
        uint64_t word, other;

        if (left < n)
                return 0;
        if (left < sizeof(word))
                word = word_read_short(l->key + *position, n);
        else
                word = word_read(l->key + *position) << (64 - 8 * n) >> (64 - 8 * n);

        for (slot = trie_block_hash(word, log);; slot = (slot + 1) & ((UINT32_C(1) << log) - 1)) {
                p = slots + slot * TRIE_SLOT_CELLS;
                if (p[2] == 0)
                        return 0;
                memcpy(&other, p, sizeof(other));
                if (other == word) {
                        *position += n;
                        return p[2];
                }
        }
}

/* For a '*' that only leads to another: skips to behind the first place with the bytes between them. */
static bool skip_to_star(const AliasLookup *l, const Node *n, size_t *position, uint32_t *ret_star) {
        Node between = read_node(l->matcher, n->literals[0]);

        for (size_t i = *position;; i++) {
                i = find_start(l, n, i);
                if (i == l->key_length)
                        return false;
                if (run_matches(l, between.run, between.run_length, i + 1)) {
                        *position = i + 1 + between.run_length;
                        *ret_star = between.star;
                        return true;
                }
        }
}

/*
 * Goes to what is behind a '*'. "**" is a chain of such nodes, and so are nodes that only lead from one '*'
 * to the next.
 *
 * Only the first visit counts: an outer '*' is left at one position after the other, and everything below it
 * is done before the next position. So the walk never comes back to this '*' further to the left.
 */
static void enter_star(AliasLookup *l, uint32_t reference, size_t position) {
        for (;;) {
                uint32_t number;
                size_t start;
                Node n;

                if (reference & TRIE_LEAF) {
                        check_leaf(l, reference, position);
                        return;
                }

                n = read_node(l->matcher, reference);
                number = n.starts[-1];
                if (l->entered_in[number] == l->generation)
                        return;
                l->entered_in[number] = l->generation;

                if (n.head & TRIE_IS_ONCE) {
                        if (!skip_to_star(l, &n, &position, &reference))
                                return;
                        continue;
                }

                if (n.head & TRIE_HAS_END)
                        take_leaf(l, n.end, 0);
                check_opaque(l, &n, position);
                start = find_start(l, &n, position);
                if (start < l->key_length)
                        push(l, reference, start);
                if (!(n.head & TRIE_HAS_STAR))
                        return;
                reference = n.star;
        }
}

/* Follows the edges of wildcards that take the byte at @position. */
static void take_wildcards(AliasLookup *l, const Node *n, size_t position) {
        uint8_t c = (uint8_t) l->key[position];

        if (n->head & TRIE_HAS_ANY)
                follow(l, n->any, position + 1);
        for (uint32_t i = 0; i < n->n_classes; i++) {
                uint32_t class = n->classes[2 * i];

                if (class != TRIE_OPAQUE && byte_set_has(l->matcher->classes[class].bytes.bits, c))
                        follow(l, n->classes[2 * i + 1], position + 1);
        }
}

/* Follows an edge of bytes. Return: where it leads, with @position behind them; 0: there is none. */
static inline uint32_t take_bytes(const AliasLookup *l, uint32_t head, const void *labels,
                                  size_t *position) {
        if (*position == l->key_length)
                return 0;
        if (head & TRIE_HAS_BLOCK)
                return find_word(l, labels, position);
        return find_literal(labels, head & TRIE_LITERALS_MASK, (uint8_t) l->key[(*position)++]);
}

/* Follows the edges of a node whose run matched. Return: as take_bytes(). */
static uint32_t leave(AliasLookup *l, const Node *n, size_t *position) {
        if (*position == l->key_length && (n->head & TRIE_HAS_END))
                take_leaf(l, n->end, 0);
        check_opaque(l, n, *position);
        if (n->head & TRIE_HAS_STAR)
                enter_star(l, n->star, *position);
        if (*position < l->key_length)
                take_wildcards(l, n, *position);
        return take_bytes(l, n->head, n->labels, position);
}

/*
 * Visits a node that is not behind a '*', and goes on over the plain bytes of the key as far as there are
 * nodes. Return: the leaf that they lead to, with the position there; 0: there is none.
 */
static uint32_t visit(AliasLookup *l, uint32_t reference, size_t *position) {
        size_t at = *position;

        do {
                const uint32_t *cells = l->matcher->cells + reference;
                uint32_t head = *cells, run_length = head >> TRIE_RUN_SHIFT & TRIE_RUN_MAX;
                const char *run = (const char *) (cells + 1);

                if (head & TRIE_HAS_MORE) {
                        Node n = read_node(l->matcher, reference);

                        if (!run_matches(l, n.run, run_length, at))
                                return 0;
                        at += run_length;
                        reference = leave(l, &n, &at);
                } else {                /* most nodes have nothing but bytes */
                        if (!run_matches(l, run, run_length, at))
                                return 0;
                        at += run_length;
                        reference = take_bytes(l, head, cells + 1 + trie_byte_cells(run_length), &at);
                }
        } while (reference > 0 && !(reference & TRIE_LEAF));

        *position = at;
        return reference;
}

static void go_on(AliasLookup *l, uint32_t reference, size_t position) {
        if (reference > 0 && !(reference & TRIE_LEAF))
                reference = visit(l, reference, &position);
        if (reference > 0)
                check_leaf(l, reference, position);
}

/* Visits what is on the stack. */
static void search_pending(AliasLookup *l) {
        while (l->n_stack > 0) {
                Frame *top = &l->stack[l->n_stack - 1];
                uint32_t reference = top->node;
                size_t position = top->position;
                Node n;

                if (!(l->matcher->cells[reference] & TRIE_IS_STAR)) {
                        l->n_stack--;
                        go_on(l, reference, position);
                        continue;
                }

                /*
                 * The next position is set before this one is visited: afterwards its frame may not be on
                 * top any more.
                 */
                n = read_node(l->matcher, reference);
                top->position = find_start(l, &n, position + 1);
                if (top->position == l->key_length)
                        l->n_stack--;
                take_wildcards(l, &n, position);
                reference = take_bytes(l, n.head, n.labels, &position);
                go_on(l, reference, position);
        }
}

/* The leaf that the plain bytes of the key lead to comes last: it is fetched from memory meanwhile. */
static void search_trie(AliasLookup *l) {
        size_t position = 0;
        uint32_t leaf;

        leaf = visit(l, 0, &position);
        if (leaf > 0) {
                __builtin_prefetch(l->matcher->cells + (leaf & ~TRIE_LEAF));
                __builtin_prefetch(l->matcher->cells + (leaf & ~TRIE_LEAF) + 16);
        }
        search_pending(l);
        if (leaf > 0)
                check_leaf(l, leaf, position);
}

/* ---------------------------------------------------------------------------------------- as libkmod does */

/* Narrows the patterns [from, to), which are equal before @depth, to those with the byte @c there. */
static void narrow(const AliasMatcher *m, uint32_t *from, uint32_t *to, size_t depth, uint8_t c) {
        uint32_t low = *from, high = *to;

        for (uint32_t end = high; low < end;) {
                uint32_t middle = low + (end - low) / 2;

                if ((uint8_t) pattern_text(m, middle)[depth] < c)
                        low = middle + 1;
                else
                        end = middle;
        }
        for (uint32_t start = low; start < high;) {
                uint32_t middle = start + (high - start) / 2;

                if ((uint8_t) pattern_text(m, middle)[depth] > c)
                        high = middle;
                else
                        start = middle + 1;
        }
        *from = low;
        *to = high;
}

/* Does the key have a wildcard that a pattern has at the same place, after the same bytes? */
static bool key_is_like_pattern(const AliasLookup *l) {
        const AliasMatcher *m = l->matcher;
        size_t n = 0;
        uint32_t from = 0, to = (uint32_t) m->n_patterns;

        if (m->dialect != ALIAS_INDEX)
                return false;
        if (!words_have(l->key, l->key_length, '*', '?', '['))
                return false;
        n = strcspn(l->key, "*?[");
        for (size_t i = 0; i <= n && from < to; i++)
                narrow(m, &from, &to, i, (uint8_t) l->key[i]);
        return from < to;
}

/*
 * Tries each of the patterns [from, to), which have a wildcard at @depth. What is found later comes earlier
 * in the answer.
 */
static void try_all(AliasLookup *l, uint32_t from, uint32_t to, size_t depth, uint32_t *rank_low) {
        if (from < to)
                --*rank_low;
        for (; from < to; from++)
                if (glob_match(pattern_text(l->matcher, from) + depth, l->key + depth))
                        take_leaf(l, l->matcher->patterns[from].leaf, *rank_low);
}

/*
 * As index_mm_searchwild_node() of libkmod. depmod's trie has a node at the root, and where patterns differ
 * or one ends; the bytes between are the prefix of a node. At a node libkmod tries the wildcards and then
 * goes on with the byte of the key; in a prefix, a wildcard ends the search.
 */
static void search_like_libkmod(AliasLookup *l) {
        static const char wildcards[] = { '*', '?', '[' };
        const AliasMatcher *m = l->matcher;
        uint32_t from = 0, to = (uint32_t) m->n_patterns, rank_low = UINT32_MAX;

        for (size_t i = 0; from < to; i++) {
                char c = pattern_text(m, from)[i];
                bool is_node = i == 0 || c == '\0' || c != pattern_text(m, to - 1)[i];

                if (!is_node && (c == '*' || c == '?' || c == '[')) {
                        try_all(l, from, to, i, &rank_low);
                        return;
                }
                for (size_t j = 0; is_node && j < ARRAY_LEN(wildcards); j++) {
                        uint32_t low = from, high = to;

                        narrow(m, &low, &high, i, (uint8_t) wildcards[j]);
                        try_all(l, low, high, i, &rank_low);
                }
                if (l->key[i] == '\0') {
                        if (c == '\0')
                                take_leaf(l, m->patterns[from].leaf, --rank_low);
                        return;
                }
                narrow(m, &from, &to, i, (uint8_t) l->key[i]);
        }
}

/* ------------------------------------------------------------------------------------------------- asking */

/* New @marks for @n items; none is of any look-up. */
static int renew_marks(uint32_t **marks, size_t n) {
        free(*marks);
        *marks = calloc(n + 1, sizeof(**marks));
        return *marks ? 0 : -ENOMEM;
}

/* Old marks, also those of another matcher, have the number of an earlier look-up. */
static int make_room(AliasLookup *l, const AliasMatcher *m) {
        size_t n_leaves = m->n_leaves_below_star, n_stars = m->n_stars;

        if (n_leaves > l->n_leaves || !l->found_in) {
                l->n_leaves = 0;        /* in case there is no memory */
                if (renew_marks(&l->found_in, n_leaves) < 0 || renew_marks(&l->tried_in, n_leaves) < 0)
                        return -ENOMEM;
                l->n_leaves = n_leaves;
        }
        if (n_stars > l->n_stars || !l->entered_in) {
                l->n_stars = 0;
                if (renew_marks(&l->entered_in, n_stars) < 0)
                        return -ENOMEM;
                l->n_stars = n_stars;
        }
        return array_reserve(&l->stack, &l->n_stack_allocated, m->stack_max, sizeof(*l->stack));
}

static void next_generation(AliasLookup *l) {
        if (++l->generation > 0)
                return;

        /* The number wrapped around, so old marks would look like new ones. */
        memset(l->found_in, 0, l->n_leaves * sizeof(*l->found_in));
        memset(l->tried_in, 0, l->n_leaves * sizeof(*l->tried_in));
        memset(l->entered_in, 0, l->n_stars * sizeof(*l->entered_in));
        l->generation = 1;
}

/**
 * alias_lookup_find() - find all patterns that match a key
 * @m:      sealed
 * @key:    bytes; for ALIAS_INDEX normalised by the caller
 * @length: of it, without its NUL
 * @ret:    by ascending priority, equal ones as in alias-order.c; a value is there once for each of its
 *          patterns. Borrowed until the next look-up with @l; the strings as long as the matcher
 *
 * Return: 0, also if nothing matches; -ENOMEM.
 */
int alias_lookup_find(AliasLookup *l, const AliasMatcher *m, const char *key, size_t length,
                      const AliasMatch **ret, size_t *ret_n) {
        int r;

        assert(l && m && key && ret && ret_n);
        assert(m->sealed);

        r = make_room(l, m);
        if (r < 0)
                return r;
        l->matcher = m;
        l->key = key;
        l->key_length = length;
        next_generation(l);
        l->n_found = 0;
        l->error = 0;
        if (key_is_like_pattern(l))
                search_like_libkmod(l);
        else
                search_trie(l);
        if (l->error < 0)
                return l->error;

        r = make_matches(l);
        if (r < 0)
                return r;

        *ret = l->matches;
        *ret_n = l->n_found;
        return 0;
}
