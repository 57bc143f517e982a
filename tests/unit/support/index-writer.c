/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writes depmod's index format for tests: children before their parents, a node where keys part or one ends,
 * and a root without a prefix.
 */

#include "index-writer.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0xB007F457U
#define VERSION 0x00020001U
#define PREFIX 0x80000000U
#define VALUES 0x40000000U
#define CHILDREN 0x20000000U

typedef struct Writer {
        WriterEntry *entries;           /* by key, equal ones as they came */
        FILE *out;
} Writer;

static void put_u32(FILE *f, uint32_t v) {
        v = htobe32(v);
        if (fwrite(&v, sizeof(v), 1, f) != 1)
                abort();
}

/* Write the node of entries [from, to), which are equal before @depth. Return: its offset with flags. */
static uint32_t write_node(Writer *w, size_t from, size_t to, size_t depth) {
        uint32_t children[128] = {}, offset;
        const char *first = w->entries[from].key, *last = w->entries[to - 1].key;
        size_t start = depth, i, j;
        int low = 0, high = -1;

        if (depth > 0)
                while (first[depth] && first[depth] == last[depth])
                        depth++;

        for (i = from; i < to && !w->entries[i].key[depth]; i++)
                ;
        size_t n_values = i - from;
        for (; i < to; i = j) {
                int c = w->entries[i].key[depth];

                for (j = i + 1; j < to && w->entries[j].key[depth] == c; j++)
                        ;
                children[c] = write_node(w, i, j, depth + 1);
                if (high < 0)
                        low = c;
                high = c;
        }

        offset = (uint32_t) ftell(w->out);
        if (depth > start) {
                fwrite(first + start, 1, depth - start, w->out);
                fputc(0, w->out);
                offset |= PREFIX;
        }
        if (high >= 0) {
                fputc(low, w->out);
                fputc(high, w->out);
                for (int c = low; c <= high; c++)
                        put_u32(w->out, children[c]);
                offset |= CHILDREN;
        }
        if (n_values > 0) {
                put_u32(w->out, (uint32_t) n_values);
                for (i = from; i < from + n_values; i++) {
                        put_u32(w->out, w->entries[i].priority);
                        fwrite(w->entries[i].value, 1, strlen(w->entries[i].value) + 1, w->out);
                }
                offset |= VALUES;
        }
        return offset;
}

static int compare_entries(const void *a, const void *b) {
        const WriterEntry *x = *(const WriterEntry *const *) a, *y = *(const WriterEntry *const *) b;
        int r = strcmp(x->key, y->key);

        return r != 0 ? r : (x > y) - (x < y);
}

uint8_t *index_write(const WriterEntry *entries, size_t n, size_t *ret_size) {
        const WriterEntry **order = calloc(n + 1, sizeof(*order));
        Writer w = { .entries = calloc(n + 1, sizeof(*w.entries)) };
        uint32_t root = 12;
        char *data = NULL;

        w.out = open_memstream(&data, ret_size);
        if (!order || !w.entries || !w.out)
                abort();
        for (size_t i = 0; i < n; i++)
                order[i] = &entries[i];
        qsort(order, n, sizeof(*order), compare_entries);
        for (size_t i = 0; i < n; i++)
                w.entries[i] = *order[i];

        put_u32(w.out, MAGIC);
        put_u32(w.out, VERSION);
        put_u32(w.out, 0);
        if (n > 0)
                root = write_node(&w, 0, n, 0);
        if (fclose(w.out) != 0)
                abort();
        root = htobe32(root);
        memcpy(data + 8, &root, sizeof(root));

        free(w.entries);
        free(order);
        return (uint8_t *) data;
}
