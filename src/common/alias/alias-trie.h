/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * AliasTrie: what a sealed AliasMatcher consists of. Only for alias-matcher.c, which fills it, alias-trie.c,
 * which builds the trie, alias-check.c, which knows a trie from anything else, alias-order.c and alias-lookup.c, which
 * walks it.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/alias/alias-dialect.h"

typedef struct AliasMatcher AliasMatcher;

/*
 * The trie is an array of 32-bit cells. Each node or leaf is in one piece, right before what is below it: a
 * look-up waits for memory more than for anything else. A reference is the number of the first cell, and has
 * a bit that says whether it leads to a leaf, so that the leaf need not be read for that.
 *
 *      node  = head [star] [any] [end] [n (class reference) * n] [number starts * 8]
 *              run labels reference * n_literals
 *      or      run (bytes, logarithm of n_slots) (word reference) * n_slots
 *      leaf  = head text [number] (ordinal value priority) * n_entries rest
 *
 * The head says which of the optional parts there are. Bytes (run, labels, rest with its NUL) are padded to
 * whole cells. The text is the whole pattern, for answers. Equal rests are stored once: there are thousands
 * of "sv*sd*bc*sc*i*".
 *
 * The second form is a block: where many patterns go on with several bytes each, a hash table leads over
 * these bytes at once. One access to it replaces as many nodes, each of which would have to be fetched from
 * memory.
 */
#define TRIE_LEAF 0x80000000U           /* of a reference */
#define TRIE_BELOW_STAR 0x40000000U     /* node or leaf: the walk may come here at many positions */

/* Bits of a node's head. */
#define TRIE_HAS_BLOCK 0x80000000U      /* instead of labels */
#define TRIE_HAS_STAR 0x20000000U       /* reference: behind '*'; the rest of a leaf begins with it */
#define TRIE_HAS_ANY 0x10000000U        /* reference: behind '?' */
#define TRIE_HAS_END 0x08000000U        /* leaf without a rest: a pattern ends here */
#define TRIE_HAS_CLASSES 0x04000000U    /* edges of "[..]" */
#define TRIE_IS_STAR 0x02000000U        /* behind a '*': its number and the next bytes, no run */
#define TRIE_IS_ONCE 0x01000000U        /* the same, and only leads to another '*', by one edge and run */
#define TRIE_RUN_SHIFT 8                /* 16 bits: length of the bytes that all patterns below have in common */
#define TRIE_RUN_MAX 0xFFFFU
#define TRIE_LITERALS_MASK 0xFFU        /* edges of one byte */

/* Bits of a leaf's head; the others are the number of its entries. */
#define TRIE_IS_RAW 0x20000000U         /* a backslash before the first wildcard is a plain byte */
#define TRIE_REST_ELSEWHERE 0x10000000U /* instead of the rest: the number of its first cell */
#define TRIE_ENTRIES_MASK 0x00FFFFFFU

#define TRIE_OPAQUE UINT32_MAX          /* as a class: takes no byte, leads to a leaf whose rest has it all */
#define TRIE_CELLS_BEHIND 2U            /* behind all others: bytes are read eight at a time */
#define TRIE_STAR_CELLS 9U              /* of TRIE_IS_STAR: number, starts */

#define TRIE_BLOCK_MAX 8U               /* bytes that it leads over */
#define TRIE_BLOCK_LOG_SHIFT 8
#define TRIE_SLOT_CELLS 3U              /* word, reference; 0: free */

static inline size_t trie_block_hash(uint64_t word, unsigned log_slots) {
        return (size_t) (word * 0x9E3779B97F4A7C15U >> (64 - log_slots));
}

#define VALUE_ALIGNMENT 8U

typedef struct ByteSet {
        uint32_t bits[8];
} ByteSet;

static inline bool byte_set_has(const uint32_t *bits, uint8_t c) {
        assert(bits);

        return bits[c / 32] >> (c % 32) & 1;
}

static inline void byte_set_add(uint32_t *bits, uint8_t c) {
        bits[c / 32] |= UINT32_C(1) << (c % 32);
}

typedef struct AliasEntry {             /* as added */
        uint32_t ordinal;               /* place in the order of answers */
        uint32_t text;                  /* of the pattern, in texts */
        uint32_t value;                 /* in values */
        uint32_t priority;
} AliasEntry;

typedef struct TrieEntry {              /* in a leaf */
        uint32_t ordinal, value, priority;
} TrieEntry;

#define TRIE_ENTRY_CELLS (sizeof(TrieEntry) / sizeof(uint32_t))

typedef struct TriePattern {            /* one text; several entries may have it */
        uint32_t text;
        uint32_t leaf;                  /* reference */
} TriePattern;

typedef struct TrieClass {              /* a "[..]" */
        ByteSet bytes;
        uint32_t text;                  /* of a pattern that has it */
        uint32_t length;                /* bytes, with both brackets */
} TrieClass;

struct AliasMatcher {
        AliasDialect dialect;
        bool sealed;
        bool borrowed;                  /* of the arrays below, those that AliasPart names */
        size_t n_entries;

        char *texts;                    /* patterns, each with its NUL */
        size_t texts_size, texts_allocated;
        char *values;                   /* each once, at a multiple of VALUE_ALIGNMENT, which makes its id */
        size_t values_size, values_allocated;
        AliasEntry *entries;            /* only until it is sealed */
        size_t n_entries_allocated;
        uint32_t *value_slots;          /* hash table of values; only until it is sealed */
        size_t n_value_slots, n_values;

        TriePattern *patterns;          /* in the order of their bytes */
        size_t n_patterns;
        uint32_t *cells;                /* the first is the root, which is always a node */
        size_t n_cells, n_cells_allocated;
        TrieClass *classes;
        size_t n_classes, n_classes_allocated;
        size_t n_stars;
        size_t n_leaves_below_star;     /* these have numbers */
        size_t stack_max;               /* frames that a walk can need */
};

static inline size_t trie_byte_cells(size_t n_bytes) {
        return (n_bytes + sizeof(uint32_t) - 1) / sizeof(uint32_t);
}

/* The first of a leaf's entries, behind its text and its number. */
static inline size_t trie_entries_at(uint32_t head) {
        return head & TRIE_BELOW_STAR ? 3 : 2;
}

static inline bool trie_is_wildcard(char c) {
        return c == '*' || c == '?' || c == '[';
}

/* Makes patterns, cells and classes. */
int alias_trie_build(AliasMatcher *m, const uint32_t *sorted);
