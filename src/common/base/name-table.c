/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NameTable: open addressing with linear probing, at most half full. Owns its slots, borrows the names. Most
 * keys that are looked for are modaliases, longer than any name in the table, so no hash is computed for
 * them.
 */

#include "common/base/name-table.h"

#include <assert.h>
#include <stdint.h>

#include "common/base/hash.h"

#define SLOTS_MIN 64U                   /* a power of two, like every size of the table */

typedef struct NameSlot {
        const char *name;               /* NULL: free */
        uint32_t hash, value;
} NameSlot;

struct NameTable {
        NameSlot *slots;
        size_t n_slots, n_used;
        size_t longest;                 /* bytes of the longest name */
};

int name_table_new(NameTable **ret) {
        _cleanup_(name_table_freep) NameTable *t = NULL;

        assert(ret);

        t = calloc(1, sizeof(*t));
        if (!t)
                return -ENOMEM;
        t->slots = calloc(SLOTS_MIN, sizeof(*t->slots));
        if (!t->slots)
                return -ENOMEM;
        t->n_slots = SLOTS_MIN;

        *ret = STEAL_PTR(t);
        return 0;
}

NameTable *name_table_free(NameTable *t) {
        if (!t)
                return NULL;

        free(t->slots);
        free(t);
        return NULL;
}

/* The slot of @name, or the free slot where it belongs. */
static NameSlot *find_slot(NameSlot *slots, size_t n_slots, const char *name, uint32_t hash) {
        size_t i = hash & (n_slots - 1);

        while (slots[i].name && (slots[i].hash != hash || !streq(slots[i].name, name)))
                i = (i + 1) & (n_slots - 1);

        return &slots[i];
}

static int grow(NameTable *t) {
        size_t n_slots = t->n_slots * 2;
        NameSlot *slots;

        slots = calloc(n_slots, sizeof(*slots));
        if (!slots)
                return -ENOMEM;

        for (size_t i = 0; i < t->n_slots; i++)
                if (t->slots[i].name)
                        *find_slot(slots, n_slots, t->slots[i].name, t->slots[i].hash) = t->slots[i];

        free(t->slots);
        t->slots = slots;
        t->n_slots = n_slots;
        return 0;
}

/**
 * name_table_add() - remember a name
 * @name:  borrowed for the life of the table
 * @value: below 2^32
 *
 * Return: 0; -EEXIST if the name is there already, which keeps its value; -ENOMEM.
 */
int name_table_add(NameTable *t, const char *name, size_t value) {
        size_t length;
        uint32_t hash;
        NameSlot *s;
        int r;

        assert(t && name && value <= UINT32_MAX);

        length = strlen(name);
        hash = hash_text(name, length);
        s = find_slot(t->slots, t->n_slots, name, hash);
        if (s->name)
                return -EEXIST;

        if ((t->n_used + 1) * 2 > t->n_slots) {
                r = grow(t);
                if (r < 0)
                        return r;
                s = find_slot(t->slots, t->n_slots, name, hash);
        }

        *s = (NameSlot) { .name = name, .hash = hash, .value = (uint32_t) value };
        t->n_used++;
        t->longest = MAX(t->longest, length);
        return 0;
}

bool name_table_find(const NameTable *t, const char *name, size_t *ret) {
        const NameSlot *s;
        size_t length;

        assert(t && name && ret);

        if (t->n_used == 0)
                return false;
        length = strnlen(name, t->longest + 1);
        if (length > t->longest)
                return false;
        s = find_slot(t->slots, t->n_slots, name, hash_text(name, length));
        if (!s->name)
                return false;

        *ret = s->value;
        return true;
}
