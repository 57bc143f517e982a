/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Usage: which verbs an option is for. Owns nothing. */

#include "cli/usage/usage.h"

#include <assert.h>
#include <string.h>

#include "common/base/util.h"

/* Is it "WORD ..."? */
bool verb_is_below(const Verb *v, const char *word) {
        size_t n = strlen(word);

        return startswith(v->name, word) && v->name[n] == ' ';
}

/* @list: names with ", " between them */
static bool list_has(const char *list, const char *name) {
        size_t n = strlen(name);

        for (const char *p = list; (p = strstr(p, name)); p += n)
                if ((p == list || (p - list >= 2 && startswith(p - 2, ", "))) &&
                    (p[n] == ',' || p[n] == '\0'))
                        return true;
        return false;
}

bool option_is_of(const Option *o, const Verb *v) {
        switch (o->scope) {
        case SCOPE_ONLINE:
                return !v->offline;
        case SCOPE_OFFLINE:
                return v->offline && !v->treeless;
        case SCOPE_VERBS:
                return list_has(o->verbs, v->name);
        default:
                return true;
        }
}
