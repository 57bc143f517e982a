/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One pattern against one string of bytes. fnmatch(3) of glibc depends on the locale, and takes exponential
 * time for a pattern like "*a*a*a*a*b"; names and patterns come from strangers, so neither is acceptable.
 */

#include "common/base/glob.h"

#include <assert.h>
#include <stddef.h>

#include "common/base/glob-bracket.h"

/*
 * One element of the pattern that is no '*' against one byte. Return: the rest of the pattern; NULL if it
 * does not match.
 */
static const char *match_one(const char *p, unsigned char c) {
        const char *after;

        switch (*p) {
        case '\0':
                return NULL;
        case '?':
                return p + 1;
        case '[':
                switch (glob_bracket(p, c, &after)) {
                case BRACKET_MATCHES:
                        return after;
                case BRACKET_DIFFERS:
                        return NULL;
                case BRACKET_IS_BYTE:
                        break;
                }
                break;
        case '\\':
                p++;
                if (!*p)
                        return NULL;
                break;
        }

        return (unsigned char) *p == c ? p + 1 : NULL;
}

/**
 * glob_match_head() - match what comes before the first '*' of a pattern
 * @pattern: moved to that '*', or to its end
 * @string:  moved behind what matched
 *
 * Return: false if it does not match; then neither is of use any more.
 */
bool glob_match_head(const char **pattern, const char **string) {
        const char *p = *pattern, *s = *string;

        while (*p && *p != '*') {
                p = *s ? match_one(p, (unsigned char) *s) : NULL;
                if (!p)
                        return false;
                s++;
        }

        *pattern = p;
        *string = s;
        return true;
}

/* Where the pattern can go on after a '*': at once, or where the byte is that comes next in it. */
static const char *find_start(const char *pattern, const char *string) {
        if (*pattern == '*' || *pattern == '?' || *pattern == '[' || *pattern == '\\')
                return string;
        while (*string && *string != *pattern)
                string++;
        return string;
}

/**
 * glob_match() - does the whole string match?
 *
 * On a mismatch only the last '*' takes one more byte: an earlier one could not do better. In the worst case
 * this takes the length of the pattern times the length of the string.
 */
bool glob_match(const char *pattern, const char *string) {
        const char *star = NULL, *star_string = NULL;

        assert(pattern && string);

        while (*string) {
                const char *after;

                if (*pattern == '*') {
                        star = ++pattern;
                        if (*star == '\0')
                                return true;
                        star_string = string = find_start(star, string);
                        continue;
                }

                after = match_one(pattern, (unsigned char) *string);
                if (after) {
                        pattern = after;
                        string++;
                } else if (star) {
                        pattern = star;
                        star_string = string = find_start(star, star_string + 1);
                } else
                        return false;
        }

        while (*pattern == '*')
                pattern++;
        return *pattern == '\0';
}
