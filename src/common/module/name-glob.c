/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NameGlob: patterns of module names and aliases as people write them. Owns nothing. module-name.c is for names,
 * and for the patterns of modprobe.d and modules.alias, which mean what kmod makes of them: there the '-' of a bracket
 * is itself.
 */

#include "common/module/name-glob.h"

#include <assert.h>
#include <string.h>

#include "common/base/glob-bracket.h"
#include "common/base/util.h"

/* Behind "[:name:]", "[=x=]" or "[.x.]" whose bracket is at @p; NULL: it is broken; @p: it is none. */
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

/* Behind the bracket expression at @p; NULL: it does not end. */
static const char *skip_bracket(const char *p) {
        const char *behind;

        p++;
        p += *p == '!' || *p == '^';
        p += *p == ']'; /* the first one is an element */
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
 * name_glob_check() - can this glob match what it looks like?
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

/* Has the bracket expression at @bracket a byte in its list? What a '!' makes of the list does not matter. */
static bool bracket_lists(const char *bracket, char byte) {
        bool negated = bracket[1] == '!' || bracket[1] == '^';
        const char *after;

        return (glob_bracket(bracket, (unsigned char) byte, &after) == BRACKET_MATCHES) != negated;
}

/*
 * '-' and '_' are one letter in names, and requests come with '_' only. Outside of brackets the one becomes the
 * other; a bracket that has '-' in its list, alone or within a range, gets '_' as well. It is put first, and what
 * stood there keeps its meaning by a backslash if it had it only for its place. Return: the end of what was written,
 * up to two bytes more than was read for each bracket.
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
 * name_glob_normalize() - write a glob for normalised names, whichever of '-' and '_' it was written with
 * @text: has passed name_glob_check()
 * @to:   room for twice as much, and the NUL
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
