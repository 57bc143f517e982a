/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NameGlob: patterns of module names and aliases in policies and settings. Owns nothing. Names, and the
 * patterns of modprobe.d and modules.alias, are for module-name.c: they mean what kmod makes of them, and
 * there a '-' in a bracket stays a '-'.
 */

#include "common/module/name-glob.h"

#include <assert.h>
#include <string.h>

#include "common/base/glob-bracket.h"
#include "common/base/util.h"

/* Return: behind the "[:name:]", "[=x=]" or "[.x.]" at @p; NULL: it is broken; @p: it is none of these. */
static const char *skip_class(const char *p) {
        static const char *const classes[] = { "alpha", "upper", "lower", "digit", "alnum", "xdigit",
                                               "space", "blank", "cntrl", "print", "graph", "punct" };
        const char closing[] = { p[1], ']', '\0' };
        const char *end;

        if (p[1] == '\0' || !strchr(":=.", p[1]))
                return p;
        end = strstr(p + 2, closing);
        if (!end)
                return NULL;
        if (p[1] != ':')
                return end - (p + 2) == 1 ? end + 2 : NULL;
        for (size_t i = 0; i < ARRAY_LEN(classes); i++)
                if (strlen(classes[i]) == (size_t) (end - (p + 2)) && startswith(p + 2, classes[i]))
                        return end + 2;
        return NULL;
}

/* Return: behind the bracket expression at @p; NULL: it is not closed. */
static const char *skip_bracket(const char *p) {
        const char *behind;

        p++;
        p += *p == '!' || *p == '^';
        p += *p == ']'; /* at the beginning it is an element */
        for (; *p != ']'; p++) {
                if (*p == '\\')
                        p++;
                if (*p == '\0')
                        return NULL;
                if (*p != '[')
                        continue;
                behind = skip_class(p);
                if (!behind)
                        return NULL;
                if (behind > p)
                        p = behind - 1;
        }
        return p + 1;
}

/**
 * name_glob_check() - does a glob match what it seems to match?
 *
 * Return: what is wrong with it, static; NULL: nothing.
 */
const char *name_glob_check(const char *glob) {
        assert(glob);

        for (const char *p = glob; *p; p++) {
                if (*p == '\\') {
                        if (*++p == '\0')
                                return "it ends with a backslash";
                        continue;
                }
                if (*p != '[')
                        continue;
                p = skip_bracket(p);
                if (!p)
                        return "its brackets do not pair up";
                p--;
        }
        return NULL;
}

/* Does the list of the bracket expression at @bracket have a byte? A '!' before the list is ignored. */
static bool bracket_lists(const char *bracket, char byte) {
        bool negated = bracket[1] == '!' || bracket[1] == '^';
        const char *after;

        return (glob_bracket(bracket, (unsigned char) byte, &after) == BRACKET_MATCHES) != negated;
}

/*
 * In names '-' and '_' are one letter, and names in requests have '_' only. Outside of brackets each '-'
 * becomes '_'; a bracket with '-' in its list, alone or within a range, gets a '_' as well. The '_' is put
 * first, and the element that was first gets a backslash if its meaning depended on its place. Return: the
 * end of what was written, for each bracket at most two bytes more than was read.
 */
static char *normalize_bracket(const char **text, char *to) {
        const char *p = *text, *end = skip_bracket(p);
        bool adds = bracket_lists(p, '-') && !bracket_lists(p, '_');

        *to++ = *p++;
        if (adds) {
                if (*p == '!' || *p == '^')
                        *to++ = *p++;
                *to++ = '_';
                if (*p == '-' || *p == ']')
                        *to++ = '\\';
        }
        to = mempcpy(to, p, (size_t) (end - p));
        *text = end;
        return to;
}

/**
 * name_glob_normalize() - rewrite a glob so that it matches normalised names
 * @text: has passed name_glob_check()
 * @to:   room for twice the length of @text, and the NUL
 *
 * Return: false for a ']' that closes nothing.
 */
bool name_glob_normalize(const char *text, char *to) {
        assert(text && to);

        for (bool escaped = false; *text;) {
                if (*text == '[' && !escaped) {
                        to = normalize_bracket(&text, to);
                        continue;
                }
                if (*text == ']' && !escaped)
                        return false;
                escaped = *text == '\\' && !escaped;
                *to++ = *text == '-' ? '_' : *text;
                text++;
        }
        *to = '\0';
        return true;
}
