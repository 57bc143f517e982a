/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NearestName: counts the letters to insert, drop, change or swap with their neighbour (optimal string alignment, a
 * restricted Damerau-Levenshtein distance). Upper and lower case are alike, as are '-' and '_'. Names that cannot
 * be nearer than what was found are given up early, so that thousands can be offered. Owns nothing.
 */

#include "common/base/nearest-name.h"

#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "common/base/util.h"

#define NAME_MAX_LENGTH 64U             /* longer ones are near to nothing */

static char folded(char c) {
        return c == '-' ? '_' : (char) tolower((unsigned char) c);
}

static bool is_swap(const char *a, size_t i, const char *b, size_t k) {
        return i > 0 && k > 0 && folded(a[i]) == folded(b[k - 1]) && folded(a[i - 1]) == folded(b[k]);
}

/* Return: the distance, if it is at most @limit; else anything above it. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b, size_t limit) {
        size_t rows[3][NAME_MAX_LENGTH + 1], *before = rows[0], *last = rows[1], *row = rows[2];

        assert(n_b <= NAME_MAX_LENGTH);

        for (size_t k = 0; k <= n_b; k++)
                last[k] = k;
        for (size_t i = 0; i < n_a; i++) {
                size_t least = row[0] = i + 1, *free_row = before;

                for (size_t k = 0; k < n_b; k++) {
                        size_t change = last[k] + (folded(a[i]) != folded(b[k]));

                        row[k + 1] = MIN(MIN(last[k + 1], row[k]) + 1, change);
                        if (is_swap(a, i, b, k))
                                row[k + 1] = MIN(row[k + 1], before[k - 1] + 1);
                        least = MIN(least, row[k + 1]);
                }
                if (least > limit)      /* no row that follows has less */
                        return limit + 1;
                before = last;
                last = row;
                row = free_row;
        }
        return last[n_b];
}

void nearest_name_begin(NearestName *n, const char *text) {
        assert(n && text);

        *n = (NearestName) { .text = text, .length = strlen(text), .distance = SIZE_MAX };
}

/* Near is what differs in at most a third of its letters. */
void nearest_name_offer(NearestName *n, const char *name) {
        size_t length, limit, d;

        assert(n && name);

        length = strlen(name);
        limit = MAX(n->length, length) / 3;
        if (n->distance <= limit) {
                if (n->distance == 0)
                        return;
                limit = n->distance - 1;
        }
        if (n->length > NAME_MAX_LENGTH || length > NAME_MAX_LENGTH ||
            MAX(n->length, length) - MIN(n->length, length) > limit)
                return;
        d = distance(n->text, n->length, name, length, limit);
        if (d <= limit) {
                n->distance = d;
                n->name = name;
        }
}

/**
 * nearest_name() - the nearest of the names that a function gives
 *
 * Return: NULL: none is near.
 */
const char *nearest_name(const char *text, const char *(*name)(size_t i)) {
        NearestName n;
        const char *offered;

        assert(name);

        nearest_name_begin(&n, text);
        for (size_t i = 0; (offered = name(i)); i++)
                nearest_name_offer(&n, offered);
        return n.name;
}

/**
 * nearest_name_of() - the nearest of the names in an array
 *
 * Return: NULL: none is near.
 */
const char *nearest_name_of(const char *text, const char *const *names, size_t n_names) {
        NearestName n;

        assert(names || n_names == 0);

        nearest_name_begin(&n, text);
        for (size_t i = 0; i < n_names; i++)
                nearest_name_offer(&n, names[i]);
        return n.name;
}
