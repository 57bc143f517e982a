/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* StringList: see string-list.h. Owns its strings. */

#include "common/base/string-list.h"

#include <assert.h>

/* Return: NULL. */
char **string_list_free(char **strings) {
        for (char **s = strings; s && *s; s++)
                free(*s);
        free(strings);
        return NULL;
}

/**
 * string_list_new() - make an empty list that is not NULL
 *
 * Return: 0; -ENOMEM.
 */
int string_list_new(char ***ret) {
        assert(ret);

        *ret = calloc(1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}

/**
 * string_list_append() - append a copy of the first @length bytes of @text
 *
 * Return: 0; -ENOMEM, with the list as it was.
 */
int string_list_append(char ***strings, const char *text, size_t length) {
        size_t n;
        char **grown, *copy;

        assert(strings && text);

        n = string_list_count(*strings);
        copy = strndup(text, length);
        if (!copy)
                return -ENOMEM;
        grown = reallocarray(*strings, n + 2, sizeof(*grown));
        if (!grown) {
                free(copy);
                return -ENOMEM;
        }
        grown[n] = copy;
        grown[n + 1] = NULL;
        *strings = grown;
        return 0;
}

size_t string_list_count(char *const *strings) {
        size_t n = 0;

        while (strings && strings[n])
                n++;
        return n;
}

bool string_list_contains(char *const *strings, const char *text) {
        for (char *const *s = strings; s && *s; s++)
                if (streq(*s, text))
                        return true;
        return false;
}
