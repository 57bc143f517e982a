/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hold: see hold.h. */

#include "cli/holders/hold.h"

#include <assert.h>
#include <stdarg.h>

#include "common/base/array.h"

/* The names in JSON. */
static const char *const names[] = {
        [HOLD_MODULE] = "module",
        [HOLD_MOUNT] = "mount",
        [HOLD_SWAP] = "swap",
        [HOLD_LOOP] = "loop",
        [HOLD_BLOCK] = "block",
        [HOLD_FILE] = "file",
        [HOLD_MAPPING] = "mapping",
        [HOLD_SOCKET] = "socket",
        [HOLD_CIPHER] = "cipher",
        [HOLD_QDISC] = "qdisc",
        [HOLD_SETTING] = "setting",
        [HOLD_CONSOLE] = "console",
        [HOLD_INTERFACE] = "interface",
        [HOLD_DEVICE] = "device",
};
_Static_assert(ARRAY_LEN(names) == _HOLD_KIND_MAX, "a name for each kind");

const char *hold_kind_to_string(HoldKind kind) {
        assert(kind < _HOLD_KIND_MAX);

        return names[kind];
}

void hold_clear(Hold *h) {
        assert(h);

        free(h->name);
        free(h->how);
        free(h->next);
        free(h->command);
        free(h->unit);
        *h = (Hold) {};
}

/**
 * holds_add() - add one
 * @hold: emptied, whatever happens
 *
 * Return: 0; -ENOMEM.
 */
int holds_add(Holds *h, Hold *hold) {
        assert(h && hold);

        if (!hold->name || !hold->how || array_grow(&h->items, h->n_items, sizeof(*h->items)) < 0) {
                hold_clear(hold);
                return -ENOMEM;
        }
        h->items[h->n_items++] = *hold;
        *hold = (Hold) {};
        return 0;
}

static int compare(const void *a, const void *b) {
        const Hold *x = a, *y = b;

        if ((x->references > 0) != (y->references > 0))
                return x->references > 0 ? -1 : 1;
        if (x->probable != y->probable)
                return x->probable ? 1 : -1;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        if (x->pid != y->pid)
                return x->pid < y->pid ? -1 : 1;
        return strcmp(x->name, y->name);
}

/* What keeps the module comes first, and what tells most of that. */
void holds_sort(Holds *h) {
        assert(h);

        if (h->n_items > 0)
                qsort(h->items, h->n_items, sizeof(*h->items), compare);
}

void holds_clear(Holds *h) {
        assert(h);

        for (size_t i = 0; i < h->n_items; i++)
                hold_clear(h->items + i);
        free(h->items);
        *h = (Holds) {};
}

/* As asprintf(3). Return: 0; -ENOMEM, with *ret NULL. */
int hold_text(char **ret, const char *format, ...) {
        va_list ap;
        int n;

        assert(ret && format);

        va_start(ap, format);
        n = vasprintf(ret, format, ap);
        va_end(ap);
        if (n < 0)
                *ret = NULL;
        return n < 0 ? -ENOMEM : 0;
}

/**
 * hold_word() - a word as people type it into a shell
 * @word: any bytes
 *
 * Return: 0; -ENOMEM.
 */
int hold_word(const char *word, char **ret) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+:@%-";
        char *text, *p;

        assert(word && ret);

        p = text = malloc(4 * strlen(word) + 3);
        if (!text)
                return -ENOMEM;
        if (*word != '\0' && word[strspn(word, plain)] == '\0') {
                (void) strcpy(text, word);
                *ret = text;
                return 0;
        }
        *p++ = '\'';
        for (; *word; word++)
                if (*word == '\'')
                        p = stpcpy(p, "'\\''");
                else
                        *p++ = *word;
        (void) strcpy(p, "'");
        *ret = text;
        return 0;
}
