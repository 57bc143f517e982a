/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AliasTrie: builds the trie of an AliasMatcher from its patterns, sorted by their bytes. alias-trie.h
 * describes its layout, alias-lookup.c walks it.
 */

#include "common/alias/alias-trie.h"

#include <assert.h>

#include "common/base/array.h"
#include "common/base/hash.h"
#include "common/base/util.h"
#include "common/base/bytes8.h"

#define BLOCK_LENGTH_MIN 4U             /* with fewer bytes, or fewer words, nodes are as fast */
#define BLOCK_WORDS_MIN 6U

typedef struct Range {                  /* what a node or leaf is made from */
        uint32_t from, to;              /* patterns */
        uint32_t depth;                 /* bytes of their texts before it */
        bool is_star;                   /* the last of these is '*' */
        bool wild;                      /* one of these is a wildcard */
        bool below_star;                /* one of these is '*' */
        uint32_t cell;                  /* for its reference; TRIE_NOWHERE: it is the root */
        size_t waiting;                 /* frames that may be on the stack when a walk comes here */
} Range;

typedef struct Builder {
        AliasMatcher *m;
        const uint32_t *sorted;         /* entries in the order of their patterns */
        uint32_t *first;                /* by pattern: its first entry in sorted; one more for the end */
        Range *pending;
        size_t n_pending, n_pending_allocated;
        uint32_t *rests;                /* hash table: first cells of the rests so far; 0: free */
        size_t n_rests, n_rest_slots;
} Builder;

#define TRIE_NOWHERE UINT32_MAX

static void builder_done(Builder *b) {
        free(b->first);
        free(b->pending);
        free(b->rests);
}

/* Makes one pattern for each text, however many entries have it. */
static int collect_patterns(Builder *b) {
        AliasMatcher *m = b->m;
        const char *last = NULL;

        m->patterns = reallocarray(NULL, m->n_entries + 1, sizeof(*m->patterns));
        b->first = reallocarray(NULL, m->n_entries + 1, sizeof(*b->first));
        if (!m->patterns || !b->first)
                return -ENOMEM;

        for (uint32_t i = 0; i < m->n_entries; i++) {
                uint32_t text = m->entries[b->sorted[i]].text;

                if (last && streq(last, m->texts + text))
                        continue;
                last = m->texts + text;
                b->first[m->n_patterns] = i;
                m->patterns[m->n_patterns++] = (TriePattern) { .text = text };
        }
        b->first[m->n_patterns] = (uint32_t) m->n_entries;
        return 0;
}

static const char *pattern_text(const AliasMatcher *m, uint32_t pattern, uint32_t depth) {
        return m->texts + m->patterns[pattern].text + depth;
}

/* Does this byte of a pattern mean something else than itself? */
static bool is_special(const AliasMatcher *m, char c, bool wild) {
        return trie_is_wildcard(c) || (c == '\\' && (wild || m->dialect == ALIAS_FNMATCH));
}

/*
 * Length of the "[..]" at @p if it is a plain one: closed, with only bytes and ranges of bytes. 0: it is
 * not, and is left to glob_match().
 */
static uint32_t class_length(const char *p) {
        const char *start = p++;

        if (*p == '!' || *p == '^')
                p++;
        if (*p == ']')
                p++;                    /* here it is a plain byte */
        for (; *p != ']'; p++)
                if (*p == '\0' || *p == '\\' || *p == '[')
                        return 0;
        return (uint32_t) (p + 1 - start);
}

static void class_fill(uint32_t *set, const char *p, uint32_t length) {
        const char *end = p + length - 1;
        bool negated;

        p++;
        negated = *p == '!' || *p == '^';
        if (negated)
                p++;

        while (p < end) {
                uint8_t first = (uint8_t) *p++, last = first;

                if (end - p >= 2 && *p == '-') {
                        last = (uint8_t) p[1];
                        p += 2;
                }
                for (unsigned c = first; c <= last; c++)
                        byte_set_add(set, (uint8_t) c);
        }
        if (negated)
                for (size_t i = 0; i < TRIE_STAR_CELLS - 1; i++)
                        set[i] = ~set[i];
}

/* Keeps each class once: thousands of patterns have some sixty different ones. */
static int intern_class(AliasMatcher *m, uint32_t text, uint32_t length, uint32_t *ret) {
        TrieClass c = { .text = text, .length = length };
        int r;

        for (size_t i = m->n_classes; i-- > 0;)
                if (m->classes[i].length == length &&
                    memcmp(m->texts + m->classes[i].text, m->texts + text, length) == 0) {
                        *ret = (uint32_t) i;
                        return 0;
                }

        r = array_reserve(&m->classes, &m->n_classes_allocated, m->n_classes + 1, sizeof(*m->classes));
        if (r < 0)
                return r;
        class_fill(c.bytes.bits, m->texts + text, length);
        m->classes[m->n_classes] = c;
        *ret = (uint32_t) m->n_classes++;
        return 0;
}

/* Appends cells with 0. Return: the number of the first; < 0: -EFBIG, -ENOMEM. */
static int64_t add_cells(AliasMatcher *m, size_t n) {
        size_t at = m->n_cells;
        int r;

        if (n > TRIE_LEAF - at)
                return -EFBIG;
        r = array_reserve(&m->cells, &m->n_cells_allocated, at + n, sizeof(*m->cells));
        if (r < 0)
                return r;
        memset(m->cells + at, 0, n * sizeof(*m->cells));
        m->n_cells += n;
        return (int64_t) at;
}

/* Puts a range off; the reference in @cell will lead to what is made of it. */
static int add_pending(Builder *b, Range range, int64_t cell, size_t waiting) {
        int r;

        r = array_reserve(&b->pending, &b->n_pending_allocated, b->n_pending + 1, sizeof(*b->pending));
        if (r < 0)
                return r;
        range.cell = (uint32_t) cell;
        range.waiting = waiting;
        b->pending[b->n_pending++] = range;
        return 0;
}

/* Is there a backslash before the first wildcard? */
static bool has_raw_backslash(const char *text) {
        size_t n = strcspn(text, "*?[\\");

        return text[n] == '\\';
}

/* The slot of a rest, or the free slot where it belongs. */
static uint32_t *find_rest_slot(const Builder *b, const char *rest) {
        size_t i = hash_string(rest) & (b->n_rest_slots - 1);

        while (b->rests[i] != 0 && !streq((const char *) &b->m->cells[b->rests[i]], rest))
                i = (i + 1) & (b->n_rest_slots - 1);
        return &b->rests[i];
}

static int grow_rests(Builder *b) {
        _cleanup_(freep) uint32_t *old = b->rests;
        size_t n_old = b->n_rest_slots, n = MAX(n_old * 2, (size_t) 256);
        uint32_t *rests;

        rests = calloc(n, sizeof(*rests));
        if (!rests) {
                old = NULL;
                return -ENOMEM;
        }
        b->rests = rests;
        b->n_rest_slots = n;
        for (size_t i = 0; i < n_old; i++)
                if (old[i] != 0)
                        *find_rest_slot(b, (const char *) &b->m->cells[old[i]]) = old[i];
        return 0;
}

/* Appends a rest at the end of the cells, or refers to where it is already. Return: 0; -EFBIG, -ENOMEM. */
static int add_rest(Builder *b, const char *rest, uint32_t *head) {
        size_t n = trie_byte_cells(strlen(rest) + 1);
        uint32_t *slot = NULL;
        int64_t at;
        int r;

        if (n > 1) {                    /* else nothing would be saved */
                if (b->n_rests * 2 >= b->n_rest_slots) {
                        r = grow_rests(b);
                        if (r < 0)
                                return r;
                }
                slot = find_rest_slot(b, rest);
        }
        at = add_cells(b->m, slot && *slot != 0 ? 1 : n);
        if (at < 0)
                return (int) at;

        if (slot && *slot != 0) {
                b->m->cells[at] = *slot;
                *head |= TRIE_REST_ELSEWHERE;
                return 0;
        }
        memcpy(&b->m->cells[at], rest, strlen(rest) + 1);
        if (slot) {
                *slot = (uint32_t) at;
                b->n_rests++;
        }
        return 0;
}

/* Makes the leaf of one pattern, with the rest of its text from the depth of the range on. */
static int build_leaf(Builder *b, Range range) {
        uint32_t first = b->first[range.from], n = b->first[range.from + 1] - first;
        const char *rest = pattern_text(b->m, range.from, range.depth);
        AliasMatcher *m = b->m;
        uint32_t head = n, *p;
        int64_t at;
        int r;

        if (n > TRIE_ENTRIES_MASK)
                return -EFBIG;
        if (range.below_star)
                head |= TRIE_BELOW_STAR;
        if (m->dialect == ALIAS_INDEX && !range.wild && has_raw_backslash(rest))
                head |= TRIE_IS_RAW;
        at = add_cells(m, trie_entries_at(head) + n * TRIE_ENTRY_CELLS);
        if (at < 0)
                return (int) at;

        p = m->cells + at + 1;
        *p++ = m->patterns[range.from].text;
        if (range.below_star)
                *p++ = (uint32_t) m->n_leaves_below_star++;
        for (uint32_t i = 0; i < n; i++, p += TRIE_ENTRY_CELLS) {
                const AliasEntry *e = &m->entries[b->sorted[first + i]];

                memcpy(p, &(TrieEntry) { .ordinal = e->ordinal, .value = e->value, .priority = e->priority },
                       sizeof(TrieEntry));
        }
        r = add_rest(b, rest, &head);
        if (r < 0)
                return r;

        m->cells[at] = head;
        m->patterns[range.from].leaf = (uint32_t) at | TRIE_LEAF;
        if (range.cell != TRIE_NOWHERE)
                m->cells[range.cell] = (uint32_t) at | TRIE_LEAF;
        return 0;
}

typedef struct Edge {                   /* from a node */
        enum { EDGE_STAR, EDGE_ANY, EDGE_END, EDGE_CLASS, EDGE_LITERAL, EDGE_BLOCK } kind;
        uint32_t class;
        uint8_t label;
        uint64_t word;                  /* of EDGE_BLOCK */
        Range below;
} Edge;

typedef struct Edges {
        Edge *items;
        size_t n, n_allocated;
        size_t n_classes, n_literals, n_words;
        uint32_t block_length;          /* bytes; 0: no block */
} Edges;

static void edges_done(Edges *e) {
        free(e->items);
}

static int add_edge(Edges *edges, Edge edge) {
        int r;

        r = array_reserve(&edges->items, &edges->n_allocated, edges->n + 1, sizeof(*edges->items));
        if (r < 0)
                return r;
        edges->items[edges->n++] = edge;
        edges->n_classes += edge.kind == EDGE_CLASS;
        edges->n_literals += edge.kind == EDGE_LITERAL;
        edges->n_words += edge.kind == EDGE_BLOCK;
        return 0;
}

/* Finds the edges of patterns that go on with '[' or a backslash at the depth of the range. */
static int find_class_edges(AliasMatcher *m, Range range, bool is_star, Edges *edges) {
        uint32_t i, j;
        int r;

        for (i = range.from; i < range.to; i = j) {
                const char *text = pattern_text(m, i, range.depth);
                uint32_t length = *text == '[' ? class_length(text) : 0;
                Edge edge = { .kind = EDGE_CLASS, .class = TRIE_OPAQUE, .below = range };

                j = i + 1;
                if (length > 0) {
                        while (j < range.to && strncmp(pattern_text(m, j, range.depth), text, length) == 0)
                                j++;
                        r = intern_class(m, (uint32_t) (text - m->texts), length, &edge.class);
                        if (r < 0)
                                return r;
                        edge.below.depth += length;
                        edge.below.wild = true;
                } else if (is_star)
                        edge.below.depth--;     /* tried once, with its '*', instead of at all positions */
                edge.below.from = i;
                edge.below.to = j;
                r = add_edge(edges, edge);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Finds the edge of patterns that go on with the same byte at the depth of the range, or end there. */
static int find_edge(AliasMatcher *m, Range range, bool is_star, Edges *edges) {
        char c = *pattern_text(m, range.from, range.depth);
        Edge edge = { .kind = EDGE_LITERAL, .label = (uint8_t) c, .below = range };
        bool is_leaf = range.to - range.from == 1;

        if (c == '\0')
                edge.kind = EDGE_END;
        else if (!is_special(m, c, range.wild))
                edge.below.depth++;
        else if (c == '*') {
                edge.kind = EDGE_STAR;
                edge.below.depth += !is_leaf;
                edge.below.is_star = edge.below.wild = edge.below.below_star = true;
        } else if (c == '?') {
                edge.kind = EDGE_ANY;
                edge.below.depth++;
                edge.below.wild = true;
        } else
                return find_class_edges(m, range, is_star, edges);
        return add_edge(edges, edge);
}

/*
 * How many bytes a block can lead over: as many as each pattern has that goes on with a plain byte. Return:
 * 0 if these are too few bytes, or too few different words.
 */
static uint32_t find_block_length(const AliasMatcher *m, const Range *range) {
        uint32_t length = TRIE_BLOCK_MAX, n_words = 0;
        const char *last = NULL;

        for (uint32_t i = range->from; i < range->to; i++) {
                const char *text = pattern_text(m, i, range->depth);
                uint32_t n = 0;

                while (n < length && text[n] && !is_special(m, text[n], range->wild))
                        n++;
                if (n > 0 && n < BLOCK_LENGTH_MIN)
                        return 0;
                length = n > 0 ? n : length;
        }
        for (uint32_t i = range->from; i < range->to && n_words < BLOCK_WORDS_MIN; i++) {
                const char *text = pattern_text(m, i, range->depth);

                if (!*text || is_special(m, *text, range->wild))
                        continue;
                n_words += !last || memcmp(text, last, length) != 0;
                last = text;
        }
        return n_words >= BLOCK_WORDS_MIN ? length : 0;
}

static int find_edges(AliasMatcher *m, Range range, Edges *edges) {
        bool is_star = range.is_star;
        uint32_t i, j;
        int r;

        range.is_star = false;
        edges->block_length = is_star ? 0 : find_block_length(m, &range);
        for (i = range.from; i < range.to; i = j) {
                const char *text = pattern_text(m, i, range.depth);
                Range part = range;
                uint32_t n = 1;

                if (*text && !is_special(m, *text, range.wild) && edges->block_length > 0)
                        n = edges->block_length;
                for (j = i + 1; j < range.to && strncmp(pattern_text(m, j, range.depth), text, n) == 0; j++)
                        ;
                part.from = i;
                part.to = j;
                if (n > 1) {
                        part.depth += n;
                        r = add_edge(edges, (Edge) {
                                .kind = EDGE_BLOCK,
                                .word = word_read_short(text, n),
                                .below = part,
                        });
                        if (r < 0)
                                return r;
                        continue;
                }
                r = find_edge(m, part, is_star, edges);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * How many plain bytes all patterns of the range have in common; they are sorted, so the first and the last
 * one are compared.
 */
static uint32_t common_run(const AliasMatcher *m, const Range *range) {
        const char *a = pattern_text(m, range->from, range->depth),
                   *b = pattern_text(m, range->to - 1, range->depth);
        uint32_t n = 0;

        while (n < TRIE_RUN_MAX && a[n] && a[n] == b[n] && !is_special(m, a[n], range->wild))
                n++;
        return n;
}

/*
 * Does a '*' only lead, over bytes that all its patterns have in common, to the next '*'? Then one visit is
 * enough.
 */
static bool leads_to_star(const AliasMatcher *m, const Range *range) {
        Range after = *range;

        after.depth += common_run(m, range);
        return after.depth > range->depth && *pattern_text(m, after.from, after.depth) == '*' &&
                *pattern_text(m, after.to - 1, after.depth) == '*';
}

/* Collects the bytes that can come after a '*': the walk skips all other positions. */
static void fill_starts(const AliasMatcher *m, const Edges *edges, uint32_t *starts) {
        for (size_t i = 0; i < edges->n; i++) {
                const Edge *e = &edges->items[i];

                if (e->kind == EDGE_LITERAL)
                        byte_set_add(starts, e->label);
                else if (e->kind == EDGE_ANY)
                        memset(starts, 0xff, sizeof(ByteSet));
                else if (e->kind == EDGE_CLASS && e->class != TRIE_OPAQUE)
                        for (size_t j = 0; j < TRIE_STAR_CELLS - 1; j++)
                                starts[j] |= m->classes[e->class].bytes.bits[j];
        }
}

static uint32_t edge_flag(const Edge *e) {
        static const uint32_t flags[] = {
                [EDGE_STAR] = TRIE_HAS_STAR,
                [EDGE_ANY] = TRIE_HAS_ANY,
                [EDGE_END] = TRIE_HAS_END,
                [EDGE_CLASS] = TRIE_HAS_CLASSES,
                [EDGE_LITERAL] = 0,
                [EDGE_BLOCK] = TRIE_HAS_BLOCK,
        };

        return flags[e->kind];
}

/* At least a third of the slots stay free. */
static unsigned log_block_slots(size_t n_words) {
        unsigned log = 1;

        while ((UINT64_C(1) << log) * 2 < n_words * 3)
                log++;
        return log;
}

static size_t block_cells(const Edges *edges) {
        return edges->n_words == 0 ? 0 : 1 + (TRIE_SLOT_CELLS << log_block_slots(edges->n_words));
}

static void write_block(AliasMatcher *m, const Edges *edges, uint32_t *p, uint32_t *places) {
        unsigned log = log_block_slots(edges->n_words);
        size_t mask = ((size_t) 1 << log) - 1;

        if (edges->n_words == 0)
                return;
        *p++ = edges->block_length | log << TRIE_BLOCK_LOG_SHIFT;
        for (size_t i = 0; i < edges->n; i++) {
                const Edge *e = &edges->items[i];
                size_t slot = trie_block_hash(e->word, log);

                if (e->kind != EDGE_BLOCK)
                        continue;
                while (p[slot * TRIE_SLOT_CELLS + 2] != 0)
                        slot = (slot + 1) & mask;
                memcpy(&p[slot * TRIE_SLOT_CELLS], &e->word, sizeof(e->word));
                p[slot * TRIE_SLOT_CELLS + 2] = TRIE_NOWHERE; /* until the node or leaf is made */
                places[i] = (uint32_t) (&p[slot * TRIE_SLOT_CELLS + 2] - m->cells);
        }
}

/*
 * Writes the cells of a node in the order of alias-trie.h. @places: gets the cell of the reference of each
 * edge.
 */
static int write_node(AliasMatcher *m, const Range *range, uint32_t run, const Edges *edges, uint32_t head,
                      uint32_t *places) {
        static const int single[] = { EDGE_STAR, EDGE_ANY, EDGE_END };
        uint32_t *p;
        int64_t at;

        at = add_cells(m, 1 + 3 + 1 + edges->n_classes * 2 + TRIE_STAR_CELLS + trie_byte_cells(run) +
                       trie_byte_cells(edges->n_literals) + edges->n_literals + block_cells(edges));
        if (at < 0)
                return (int) at;
        p = m->cells + at;
        if (range->cell != TRIE_NOWHERE)
                m->cells[range->cell] = (uint32_t) at;

        *p++ = head;
        for (size_t k = 0; k < ARRAY_LEN(single); k++)
                for (size_t i = 0; i < edges->n; i++)
                        if ((int) edges->items[i].kind == single[k])
                                places[i] = (uint32_t) (p++ - m->cells);
        if (head & TRIE_HAS_CLASSES) {
                *p++ = (uint32_t) edges->n_classes;
                for (size_t i = 0; i < edges->n; i++)
                        if (edges->items[i].kind == EDGE_CLASS) {
                                *p++ = edges->items[i].class;
                                places[i] = (uint32_t) (p++ - m->cells);
                        }
        }
        if (head & TRIE_IS_STAR) {
                *p++ = (uint32_t) m->n_stars++;
                fill_starts(m, edges, p);
                p += TRIE_STAR_CELLS - 1;
        }
        memcpy(p, pattern_text(m, range->from, range->depth), run);
        p += trie_byte_cells(run);

        uint8_t *labels = (uint8_t *) p;
        p += trie_byte_cells(edges->n_literals);
        for (size_t i = 0; i < edges->n; i++)
                if (edges->items[i].kind == EDGE_LITERAL) {
                        *labels++ = edges->items[i].label;
                        places[i] = (uint32_t) (p++ - m->cells);
                }
        write_block(m, edges, p, places);
        m->n_cells = (size_t) (p - m->cells) + block_cells(edges);
        return 0;
}

static int build_node(Builder *b, Range range) {
        _cleanup_(edges_done) Edges edges = {};
        _cleanup_(freep) uint32_t *places = NULL;
        AliasMatcher *m = b->m;
        Range behind = range;
        uint32_t run, head;
        size_t waiting;
        int r;

        run = range.is_star ? 0 : common_run(m, &range);
        behind.depth += run;
        r = find_edges(m, behind, &edges);
        if (r < 0)
                return r;

        head = run << TRIE_RUN_SHIFT | (uint32_t) edges.n_literals;
        for (size_t i = 0; i < edges.n; i++)
                head |= edge_flag(&edges.items[i]);
        if (range.is_star)
                head |= TRIE_IS_STAR | (leads_to_star(m, &range) ? TRIE_IS_ONCE : 0);
        if (range.below_star)
                head |= TRIE_BELOW_STAR;

        places = reallocarray(NULL, edges.n + 1, sizeof(*places));
        if (!places)
                return -ENOMEM;
        r = write_node(m, &range, run, &edges, head, places);
        if (r < 0)
                return r;

        /*
         * While one of them is walked, these may be on the stack: the '*' itself, '?', another '*' and the
         * classes.
         */
        waiting = range.waiting + edges.n_classes + 3;
        m->stack_max = MAX(m->stack_max, waiting + 1);
        for (size_t i = edges.n; i-- > 0;) {    /* what is made first is right behind its node */
                r = add_pending(b, edges.items[i].below, places[i], waiting);
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * alias_trie_build() - make patterns, cells and classes from the entries
 * @m:      its entries have their places in the order of answers
 * @sorted: the entries, sorted by the bytes of their patterns
 *
 * Return: 0; -EFBIG; -ENOMEM.
 */
int alias_trie_build(AliasMatcher *m, const uint32_t *sorted) {
        _cleanup_(builder_done) Builder b = { .m = m, .sorted = sorted };
        Range all = { .cell = TRIE_NOWHERE };
        int r;

        assert(m && sorted);

        r = collect_patterns(&b);
        if (r < 0)
                return r;

        all.to = (uint32_t) m->n_patterns;
        if (all.to > 0)
                r = build_node(&b, all);
        else {                          /* a root without edges */
                m->stack_max = 1;
                r = add_cells(m, 1) < 0 ? -ENOMEM : 0;
        }
        while (r >= 0 && b.n_pending > 0) {
                Range range = b.pending[--b.n_pending];

                r = range.to - range.from == 1 ? build_leaf(&b, range) : build_node(&b, range);
        }
        if (r >= 0 && add_cells(m, TRIE_CELLS_BEHIND) < 0)
                r = -ENOMEM;
        return r;
}
