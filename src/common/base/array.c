/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Array: how arrays grow. Owns nothing; the owner of an array frees it with free(3). */

#include "common/base/array.h"

#include <assert.h>

#include "common/base/util.h"

#define ROOM_AT_FIRST 8U                /* items of an array that does not count its room */
#define RESERVE_MIN 64U

static int resize(void *items, size_t n, size_t size) {
        void *from, *to;

        memcpy(&from, items, sizeof(from));
        to = reallocarray(from, n, size);
        if (!to)
                return -ENOMEM;
        memcpy(items, &to, sizeof(to));
        return 0;
}

/**
 * array_grow() - room for one more item, for arrays that grow only by this function
 * @n:    items so far
 * @size: bytes of an item
 *
 * The room is ROOM_AT_FIRST and then each power of two, so the number of items says how much there is.
 *
 * Return: 0; -ENOMEM.
 */
int array_grow(void *items, size_t n, size_t size) {
        assert(items);

        if (n > 0 && (n < ROOM_AT_FIRST || (n & (n - 1)) != 0))
                return 0;
        return resize(items, MAX((size_t) ROOM_AT_FIRST, 2 * n), size);
}

/**
 * array_reserve() - room for at least @n items; an array that has to grow doubles its room
 * @allocated: items that there is room for
 *
 * Return: 0; -ENOMEM.
 */
int array_reserve(void *items, size_t *allocated, size_t n, size_t size) {
        size_t wanted;
        int r;

        assert(items && allocated);

        if (n <= *allocated)
                return 0;
        wanted = MAX(MAX(*allocated * 2, (size_t) RESERVE_MIN), n);
        r = resize(items, wanted, size);
        if (r < 0)
                return r;
        *allocated = wanted;
        return 0;
}

/**
 * array_shrink() - give back the room that @n items do not need
 *
 * Without memory for that, the room stays.
 */
void array_shrink(void *items, size_t *allocated, size_t n, size_t size) {
        assert(items && allocated);

        if (resize(items, MAX(n, (size_t) 1), size) >= 0)
                *allocated = n;
}
