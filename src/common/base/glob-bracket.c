/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The bracket expressions of glob patterns. POSIX does not define what a broken one means; for kmod it means
 * what fnmatch(3) of glibc makes of it, and that depends on the byte it is compared with: glibc parses the
 * elements up to the one that matches, and skips those after it by slightly different rules. Hence two
 * readers, and no table of bytes for brackets in general.
 */

#include "common/base/glob-bracket.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define CLASS_NAME_MAX 2048             /* CHARCLASS_NAME_MAX of linux/limits.h and glibc */

typedef enum ElementVerdict {
        ELEMENT_MATCHES,
        ELEMENT_DIFFERS,
        ELEMENT_IS_BROKEN,              /* from here on, the pattern can match nothing */
        ELEMENT_IS_MISSING,             /* the pattern ends */
} ElementVerdict;

static bool in_range(unsigned char c, unsigned char low, unsigned char high) {
        return low <= c && c <= high;
}

/* isalpha(3) and its family in the C locale; -1: there is no class of that name. */
static int in_class(unsigned char c, const char *name, size_t n) {
        bool upper = in_range(c, 'A', 'Z'), lower = in_range(c, 'a', 'z'), digit = in_range(c, '0', '9');
        const struct {
                const char *name;
                bool has;
        } classes[] = {
                { "alpha", upper || lower },
                { "upper", upper },
                { "lower", lower },
                { "digit", digit },
                { "alnum", upper || lower || digit },
                { "xdigit", digit || in_range(c, 'A', 'F') || in_range(c, 'a', 'f') },
                { "space", c == ' ' || in_range(c, '\t', '\r') },
                { "blank", c == ' ' || c == '\t' },
                { "cntrl", c < ' ' || c == 0x7f },
                { "print", in_range(c, ' ', '~') },
                { "graph", in_range(c, '!', '~') },
                { "punct", in_range(c, '!', '~') && !upper && !lower && !digit },
        };

        for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
                if (strlen(classes[i].name) == n && memcmp(classes[i].name, name, n) == 0)
                        return classes[i].has;
        return -1;
}

/*
 * Length of a class name that begins at @name and ends with ":]". For glibc a name consists of the letters a
 * to y. Return: -1: it has another byte, so it is no name; -2: it is too long, which breaks the pattern.
 */
static int class_name_length(const char *name) {
        for (int n = 0; n < CLASS_NAME_MAX; n++) {
                if (name[n] == ':' && name[n + 1] == ']')
                        return n;
                if (name[n] < 'a' || name[n] >= 'z')
                        return -1;
        }
        return -2;
}

/* "[.x.]": the name of a byte is the byte, there are no other names. @*p is behind the "[.". */
static bool read_symbol(const char **p, unsigned char *ret) {
        const char *name = *p, *end;

        if (!*name)
                return false;
        end = strstr(name, ".]");
        if (!end || end - name != 1)
                return false;
        *ret = (unsigned char) *name;
        *p = end + 2;
        return true;
}

/* The end of a range; @*p is behind the '-'. */
static bool read_range_end(const char **p, unsigned char *ret) {
        if ((*p)[0] == '[' && (*p)[1] == '.') {
                *p += 2;
                return read_symbol(p, ret);
        }
        if (**p == '\\')
                ++*p;
        if (!**p)
                return false;
        *ret = (unsigned char) *(*p)++;
        return true;
}

/* A byte, or the range that begins with it; @*p is behind the byte, which is @low. */
static ElementVerdict match_byte_or_range(const char **p, unsigned char low, bool is_symbol,
                                          unsigned char c) {
        bool is_range = (*p)[0] == '-' && (*p)[1] && (is_symbol || (*p)[1] != ']');
        unsigned char high;

        if (!is_range && low == c)
                return ELEMENT_MATCHES;
        if ((*p)[0] != '-' || (*p)[1] == ']')
                return ELEMENT_DIFFERS;

        ++*p;
        if (!read_range_end(p, &high))
                return ELEMENT_IS_BROKEN;
        return in_range(c, low, high) ? ELEMENT_MATCHES : ELEMENT_DIFFERS;
}

/* One element of the list in a bracket against one byte; moves @*p behind it. */
static ElementVerdict match_element(const char **p, unsigned char c) {
        bool is_symbol = false;
        unsigned char low;
        int n, has;

        low = (unsigned char) *(*p)++;
        if (low == '\0')
                return ELEMENT_IS_MISSING;

        if (low == '\\') {
                low = (unsigned char) **p;
                if (low == '\0')
                        return ELEMENT_IS_BROKEN;
                ++*p;
        } else if (low == '[' && **p == ':') {
                n = class_name_length(*p + 1);
                if (n == -2)
                        return ELEMENT_IS_BROKEN;
                if (n >= 0) {
                        has = in_class(c, *p + 1, (size_t) n);
                        *p += n + 3;
                        return has < 0 ? ELEMENT_IS_BROKEN : has ? ELEMENT_MATCHES : ELEMENT_DIFFERS;
                }
        } else if (low == '[' && **p == '=') {
                if ((*p)[1] && (*p)[2] == '=' && (*p)[3] == ']') {
                        low = (unsigned char) (*p)[1];
                        *p += 4;
                        return low == c ? ELEMENT_MATCHES : ELEMENT_DIFFERS;
                }
        } else if (low == '[' && **p == '.') {
                ++*p;
                if (!read_symbol(p, &low))
                        return ELEMENT_IS_BROKEN;
                is_symbol = true;
        }

        return match_byte_or_range(p, low, is_symbol, c);
}

/* Skips the elements after the one that matched, to behind the closing ']'. */
static BracketVerdict skip_elements(const char *p, const char **ret_after) {
        const char *end;
        int n;

        for (;;) {
                char c = *p++;

                if (c == '\0')
                        return BRACKET_IS_BYTE;
                if (c == ']') {
                        *ret_after = p;
                        return BRACKET_MATCHES;
                }
                if (c == '\\') {
                        if (!*p)
                                return BRACKET_DIFFERS;
                        p++;
                } else if (c == '[' && *p == ':') {
                        n = class_name_length(p + 1);
                        if (n == -2)
                                return BRACKET_DIFFERS;
                        if (n >= 0)
                                p += n + 3;
                } else if (c == '[' && *p == '=') {
                        if (!p[1] || p[2] != '=' || p[3] != ']')
                                return BRACKET_DIFFERS;
                        p += 4;
                } else if (c == '[' && *p == '.') {
                        end = p[1] ? strstr(p + 1, ".]") : NULL;
                        if (!end)
                                return BRACKET_DIFFERS;
                        p = end + 2;
                }
        }
}

/**
 * glob_bracket() - compare one byte with a bracket expression
 * @bracket:   at its '['
 * @ret_after: only for BRACKET_MATCHES: where the pattern goes on
 *
 * Return: the verdict; BRACKET_DIFFERS also for a pattern that is so broken that it matches nothing.
 */
BracketVerdict glob_bracket(const char *bracket, unsigned char c, const char **ret_after) {
        const char *p = bracket + 1, *after;
        ElementVerdict element;
        BracketVerdict verdict;
        bool negated;

        assert(*bracket == '[');

        negated = *p == '!' || *p == '^';
        if (negated)
                p++;

        do {
                element = match_element(&p, c);
        } while (element == ELEMENT_DIFFERS && *p != ']');

        if (element == ELEMENT_IS_MISSING)
                return BRACKET_IS_BYTE;
        if (element == ELEMENT_IS_BROKEN)
                return BRACKET_DIFFERS;
        if (element == ELEMENT_DIFFERS) {
                if (!negated)
                        return BRACKET_DIFFERS;
                *ret_after = p + 1;
                return BRACKET_MATCHES;
        }

        verdict = skip_elements(p, &after);
        if (verdict == BRACKET_MATCHES && negated)
                return BRACKET_DIFFERS;
        if (verdict == BRACKET_MATCHES)
                *ret_after = after;
        return verdict;
}
