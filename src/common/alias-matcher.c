/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AliasMatcher: every alias pattern of one kind, ready to be asked for all that match a key. Owns copies of
 * all strings.
 *
 * The patterns, sorted by their bytes, become a trie. An edge is a byte, '?', '*' or a "[..]"; bytes that
 * all patterns below a node share are its run and compared in one go; a part of the trie with one pattern
 * left is a leaf: the rest of its text is left to glob_match(). So is what is too odd for an edge: escapes,
 * and brackets with anything in them but bytes and ranges. alias-lookup.c walks it.
 *
 * Answers come in the order that alias-order.c gave their entries.
 *
 * ALIAS_INDEX is ALIAS_FNMATCH but for what libkmod's search of an index makes of two rare things: before
 * the first wildcard a backslash is a byte like any other, and wildcards in a key (see alias-lookup.c).
 */

#include "common/alias-trie.h"

#include <assert.h>

#include "common/alias-order.h"
#include "common/word.h"

#define STRINGS_MAX 0x3FFFFFFFU         /* bytes of all texts: the cells made of them are numbered with 32 bits */
#define BLOCK_LENGTH_MIN 4U             /* fewer bytes, or fewer words, are as fast as nodes */
#define BLOCK_WORDS_MIN 6U
#define NO_VALUE UINT32_MAX             /* in a slot */

typedef struct Range {                  /* what a node or leaf is to be made of */
        uint32_t from, to;              /* patterns */
        uint32_t depth;                 /* bytes of their texts that are behind it */
        bool is_star;                   /* the last of them was '*' */
        bool wild;                      /* some of them was a wildcard */
        bool below_star;                /* some of them was '*' */
        uint32_t cell;                  /* where its reference goes; TRIE_NOWHERE: it is the root */
        size_t waiting;                 /* frames that a walk may have left waiting when it comes here */
} Range;

typedef struct Builder {
        AliasMatcher *m;
        const uint32_t *sorted;         /* entries in the order of their patterns */
        uint32_t *first;                /* by pattern: its first in sorted; one more ends the last */
        Range *pending;
        size_t n_pending, n_pending_allocated;
} Builder;

#define TRIE_NOWHERE UINT32_MAX

static void builder_done(Builder *b) {
        free(b->first);
        free(b->pending);
}

static int grow(void *array, size_t *allocated, size_t n, size_t item_size) {
        size_t want = MAX(*allocated * 2, (size_t) 64);
        void *p;

        if (n <= *allocated)
                return 0;
        want = MAX(want, n);
        p = reallocarray(*(void **) array, want, item_size);
        if (!p)
                return -ENOMEM;
        *(void **) array = p;
        *allocated = want;
        return 0;
}

/* Give back what growing took too much; a failure costs nothing but that memory. */
static void shrink(void *array, size_t *allocated, size_t n, size_t item_size) {
        void *p;

        p = reallocarray(*(void **) array, MAX(n, (size_t) 1), item_size);
        if (!p)
                return;
        *(void **) array = p;
        *allocated = n;
}

/**
 * alias_matcher_new() - make one without patterns, to be filled and sealed
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

        free(m->texts);
        free(m->values);
        free(m->entries);
        free(m->value_slots);
        free(m->patterns);
        free(m->cells);
        free(m->classes);
        free(m);
        return NULL;
}

/*
 * ------------------------------------------------------------------------------------------------------
 * filling
 */

static int append_string(char **strings, size_t *size, size_t *allocated, const char *s,
                         uint32_t *ret_offset) {
        size_t n = strlen(s) + 1;
        int r;

        if (n > STRINGS_MAX || *size > STRINGS_MAX - n)
                return -EFBIG;
        r = grow(strings, allocated, *size + n, 1);
        if (r < 0)
                return r;

        memcpy(*strings + *size, s, n);
        *ret_offset = (uint32_t) *size;
        *size += n;
        return 0;
}

static uint32_t hash_string(const char *s) {
        uint32_t h = 2166136261U;

        for (; *s; s++)
                h = (h ^ (uint8_t) *s) * 16777619U;
        return h ^ h >> 15;
}

/* The slot of a value, or the free one where it belongs. */
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

/* There are ten times more aliases than modules: keep each value once. */
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
                m->values_size += -m->values_size % VALUE_ALIGNMENT;
                r = append_string(&m->values, &m->values_size, &m->values_allocated, value, slot);
                if (r < 0)
                        return r;
                m->n_values++;
        }
        *ret_offset = *slot;
        return 0;
}

/**
 * alias_matcher_add() - add one pattern; only before it is sealed
 * @pattern:  bytes, copied; any string is a pattern, but one that can never match does not
 * @value:    copied
 * @priority: lower ones are answered first
 *
 * Return: 0; -EFBIG: 1 GiB of patterns is enough; -ENOMEM.
 */
int alias_matcher_add(AliasMatcher *m, const char *pattern, const char *value, uint32_t priority) {
        AliasEntry e = { .priority = priority };
        int r;

        assert(m && pattern && value);
        assert(!m->sealed);

        r = grow(&m->entries, &m->n_entries_allocated, m->n_entries + 1, sizeof(*m->entries));
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

/* One pattern for each text, however many entries have it. */
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

/*
 * ----------------------------------------------------------------------------------------------------- the
 * trie
 */

static const char *pattern_text(const AliasMatcher *m, uint32_t pattern, uint32_t depth) {
        return m->texts + m->patterns[pattern].text + depth;
}

/* Does this byte of a pattern stand for something else than itself? */
static bool is_special(const AliasMatcher *m, char c, bool wild) {
        return trie_is_wildcard(c) || (c == '\\' && (wild || m->dialect == ALIAS_FNMATCH));
}

/*
 * Length of the "[..]" at @p if it is a plain one: closed, and in it only bytes and ranges of bytes. 0: it
 * is not, and glob_match() knows what it means.
 */
static uint32_t class_length(const char *p) {
        const char *start = p++;

        if (*p == '!' || *p == '^')
                p++;
        if (*p == ']')
                p++;                    /* here it is a byte like any other */
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

/* There are some sixty different classes in thousands of patterns. */
static int intern_class(AliasMatcher *m, uint32_t text, uint32_t length, uint32_t *ret) {
        TrieClass c = { .text = text, .length = length };
        int r;

        for (size_t i = m->n_classes; i-- > 0;)
                if (m->classes[i].length == length &&
                    memcmp(m->texts + m->classes[i].text, m->texts + text, length) == 0) {
                        *ret = (uint32_t) i;
                        return 0;
                }

        r = grow(&m->classes, &m->n_classes_allocated, m->n_classes + 1, sizeof(*m->classes));
        if (r < 0)
                return r;
        class_fill(c.bytes.bits, m->texts + text, length);
        m->classes[m->n_classes] = c;
        *ret = (uint32_t) m->n_classes++;
        return 0;
}

/* Room for more cells, filled with 0. Return: the number of the first; < 0: -EFBIG, -ENOMEM. */
static int64_t add_cells(AliasMatcher *m, size_t n) {
        size_t at = m->n_cells;
        int r;

        if (n > TRIE_LEAF - at)
                return -EFBIG;
        r = grow(&m->cells, &m->n_cells_allocated, at + n, sizeof(*m->cells));
        if (r < 0)
                return r;
        memset(m->cells + at, 0, n * sizeof(*m->cells));
        m->n_cells += n;
        return (int64_t) at;
}

/* The reference in @cell will lead to what becomes of the range. */
static int add_pending(Builder *b, Range range, int64_t cell, size_t waiting) {
        int r;

        r = grow(&b->pending, &b->n_pending_allocated, b->n_pending + 1, sizeof(*b->pending));
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

/* One pattern, of which the text from the range's depth is left. */
static int build_leaf(Builder *b, Range range) {
        uint32_t first = b->first[range.from], n = b->first[range.from + 1] - first;
        const char *rest = pattern_text(b->m, range.from, range.depth);
        AliasMatcher *m = b->m;
        int64_t at;

        if (n > TRIE_ENTRIES_MASK)
                return -EFBIG;
        at = add_cells(m, 2 + n * TRIE_ENTRY_CELLS + trie_byte_cells(strlen(rest) + 1));
        if (at < 0)
                return (int) at;

        m->cells[at] = n | (range.below_star ? TRIE_BELOW_STAR : 0);
        if (m->dialect == ALIAS_INDEX && !range.wild && has_raw_backslash(rest))
                m->cells[at] |= TRIE_IS_RAW;
        m->cells[at + 1] = range.from;
        for (uint32_t i = 0; i < n; i++)
                memcpy(&m->cells[at + 2 + i * (int64_t) TRIE_ENTRY_CELLS], &m->entries[b->sorted[first + i]],
                       sizeof(AliasEntry));
        strcpy((char *) &m->cells[at + 2 + n * (int64_t) TRIE_ENTRY_CELLS], rest);

        m->patterns[range.from].leaf = (uint32_t) at | TRIE_LEAF;
        if (range.cell != TRIE_NOWHERE)
                m->cells[range.cell] = (uint32_t) at | TRIE_LEAF;
        return 0;
}

typedef struct Edge {                   /* on the way from a node */
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

        r = grow(&edges->items, &edges->n_allocated, edges->n + 1, sizeof(*edges->items));
        if (r < 0)
                return r;
        edges->items[edges->n++] = edge;
        edges->n_classes += edge.kind == EDGE_CLASS;
        edges->n_literals += edge.kind == EDGE_LITERAL;
        edges->n_words += edge.kind == EDGE_BLOCK;
        return 0;
}

/* The patterns of a range go on with a '[' or a backslash at its depth. */
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
                        edge.below.depth--;     /* tried once, with its '*', not at all positions */
                edge.below.from = i;
                edge.below.to = j;
                r = add_edge(edges, edge);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The patterns of a range go on with the same byte at its depth, or end there. */
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
 * Over how many bytes a block can lead: as many as every pattern has that goes on with a byte. Return: 0 if there
 * are too few of those bytes, or of what they can be.
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
 * How many literal bytes all patterns of the range have in common; they are sorted, so the first and last
 * will tell.
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
 * Does a '*' lead, over bytes that all its patterns have, only to the next '*'? Then being there once is
 * enough.
 */
static bool leads_to_star(const AliasMatcher *m, const Range *range) {
        Range after = *range;

        after.depth += common_run(m, range);
        return after.depth > range->depth && *pattern_text(m, after.from, after.depth) == '*' &&
                *pattern_text(m, after.to - 1, after.depth) == '*';
}

/* With which bytes can go on what is behind a '*'? Elsewhere the walk need not look. */
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

/* At least a third of the slots stays free. */
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
                p[slot * TRIE_SLOT_CELLS + 2] = TRIE_NOWHERE; /* until there is something */
                places[i] = (uint32_t) (&p[slot * TRIE_SLOT_CELLS + 2] - m->cells);
        }
}

/*
 * Write a node's cells; alias-trie.h has their order. @ret_places: for each edge the cell of its reference.
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

        /* What may wait while one of them is walked: the '*' itself, '?', another '*' and the classes. */
        waiting = range.waiting + edges.n_classes + 3;
        m->stack_max = MAX(m->stack_max, waiting + 1);
        for (size_t i = edges.n; i-- > 0;) {    /* the first comes right behind its node */
                r = add_pending(b, edges.items[i].below, places[i], waiting);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int build_trie(Builder *b) {
        Range all = { .to = (uint32_t) b->m->n_patterns, .cell = TRIE_NOWHERE };
        int r;

        if (all.to == 0) {              /* a root without edges */
                b->m->stack_max = 1;
                return add_cells(b->m, 1) < 0 ? -ENOMEM : 0;
        }

        r = build_node(b, all);
        while (r >= 0 && b->n_pending > 0) {
                Range range = b->pending[--b->n_pending];

                r = range.to - range.from == 1 ? build_leaf(b, range) : build_node(b, range);
        }
        return r;
}

/**
 * alias_matcher_seal() - work out everything that look-ups need; no pattern can be added after that
 *
 * Return: 0; -ENOMEM: free it, nothing else can be done with it.
 */
int alias_matcher_seal(AliasMatcher *m) {
        _cleanup_(builder_done) Builder b = { .m = m };
        _cleanup_(freep) uint32_t *sorted = NULL;
        int r;

        assert(m);
        assert(!m->sealed);

        free(STEAL_PTR(m->value_slots));
        m->n_value_slots = 0;
        shrink(&m->texts, &m->texts_allocated, m->texts_size, 1);
        shrink(&m->values, &m->values_allocated, m->values_size, 1);

        r = alias_sort_by_text(m, &sorted);
        if (r < 0)
                return r;
        b.sorted = sorted;
        r = collect_patterns(&b);
        if (r < 0)
                return r;
        r = alias_order_entries(m);
        if (r < 0)
                return r;
        r = build_trie(&b);
        if (r < 0)
                return r;

        if (add_cells(m, TRIE_CELLS_BEHIND) < 0)
                return -ENOMEM;

        free(STEAL_PTR(m->entries));
        m->n_entries_allocated = 0;
        shrink(&m->cells, &m->n_cells_allocated, m->n_cells, sizeof(*m->cells));
        m->sealed = true;
        return 0;
}

/**
 * alias_matcher_count() - how many patterns were added
 */
size_t alias_matcher_count(const AliasMatcher *m) {
        assert(m);

        return m->n_entries;
}

/**
 * alias_matcher_value_ids() - how many values there are at most, for arrays by AliasMatch's value_id
 */
size_t alias_matcher_value_ids(const AliasMatcher *m) {
        assert(m);

        return m->values_size / VALUE_ALIGNMENT + 1;
}

/**
 * alias_matcher_size_bytes() - how much memory a sealed matcher takes, without its look-ups
 */
size_t alias_matcher_size_bytes(const AliasMatcher *m) {
        assert(m);
        assert(m->sealed);

        return sizeof(*m) + m->texts_allocated + m->values_allocated +
               (m->n_entries + 1) * sizeof(*m->patterns) + m->n_cells_allocated * sizeof(*m->cells) +
               m->n_classes_allocated * sizeof(*m->classes);
}
