/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PolicyWords: searches for "KEY:" and through what follows it: [a, b], {a: b}, lines that begin with "- ",
 * or lines "a: b" that are indented deeper. Owns nothing, allocates nothing, reads each byte a limited
 * number of times.
 */

#include "common/words/policy-words.h"

#include <assert.h>
#include <string.h>

typedef struct Span {                   /* of a text without a NUL at its end */
        const char *from, *end;
} Span;

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

static Span span_trim(Span s) {
        while (s.from < s.end && is_blank(*s.from))
                s.from++;
        while (s.from < s.end && is_blank(s.end[-1]))
                s.end--;
        return s;
}

/* Return: the end of the line, or the beginning of a comment in it. What is in quotes is skipped. */
static const char *find_end_of_line(const char *p, const char *end) {
        char quote = '\0', before = ' ';

        for (; p < end && *p != '\n'; before = *p++)
                if (quote)
                        quote = *p == quote ? '\0' : quote;
                else if (*p == '#' && is_blank(before))
                        break;
                else if ((*p == '"' || *p == '\'') && (is_blank(before) || strchr("[{,:", before)))
                        quote = *p;
        return p;
}

static Span span_unquote(Span s) {
        s = span_trim(s);
        if (s.end - s.from >= 2 && (*s.from == '"' || *s.from == '\'') && s.end[-1] == *s.from)
                return (Span) { s.from + 1, s.end - 1 };
        return s;
}

/* Return: behind @s at the beginning of @item; NULL: @item does not begin with it. */
static const char *skip_equal(const char *item, Span s) {
        size_t n = (size_t) (s.end - s.from);

        return strlen(item) >= n && memcmp(item, s.from, n) == 0 ? item + n : NULL;
}

static bool text_equals(Span s, const char *item) {
        const char *rest = skip_equal(item, span_unquote(s));

        return rest && *rest == '\0';
}

/*
 * "name: value" is the item name=value, or name="value" if the value has a blank; without a value, it is the
 * item name.
 */
static bool pair_equals(Span s, const char *item) {
        const char *colon = s.from;
        bool quoted;
        Span value;

        while (colon < s.end && !(*colon == ':' && (colon + 1 == s.end || is_blank(colon[1]) || colon[-1] == '"')))
                colon++;
        if (colon == s.end || colon == s.from)
                return false;
        item = skip_equal(item, span_unquote((Span) { s.from, colon }));
        value = span_trim((Span) { colon + 1, s.end });
        if (!item || value.from == value.end)
                return item && *item == '\0';
        value = span_unquote(value);
        quoted = memchr(value.from, ' ', (size_t) (value.end - value.from));
        if (*item++ != '=' || (quoted && *item++ != '"'))
                return false;
        item = skip_equal(item, value);
        return item && (quoted ? item[0] == '"' && item[1] == '\0' : *item == '\0');
}

static bool entry_equals(Span s, const char *item, bool is_pair) {
        s = span_trim(s);
        return s.from < s.end && (is_pair ? pair_equals(s, item) : text_equals(s, item));
}

/* From behind the bracket to the closing one; none of our keys has nested brackets. */
static bool flow_has(const char *p, const char *end, const char *item, bool is_pair) {
        const char *from = p;
        char quote = '\0';

        for (; p < end; p++) {
                if (quote) {
                        quote = *p == quote ? '\0' : quote;
                        continue;
                }
                if (*p == '"' || *p == '\'')
                        quote = *p;
                else if (*p == '[' || *p == '{' || *p == '#')
                        return false;
                else if (*p == ',' || *p == ']' || *p == '}' || *p == '\n') {
                        if (entry_equals((Span) { from, p }, item, is_pair))
                                return true;
                        if (*p == ']' || *p == '}')
                                return false;
                        from = p + 1;
                }
        }
        return false;
}

/*
 * The lines after a key in column @column: a list may have the same indentation, a map is indented deeper.
 */
static bool block_has(const char *p, const char *end, size_t column, const char *item) {
        while (p < end) {
                const char *line = p, *stop = find_end_of_line(p, end), *next;
                bool is_list;
                Span s;

                next = memchr(stop, '\n', (size_t) (end - stop));
                p = next ? next + 1 : end;
                s = span_trim((Span) { line, stop });
                if (s.from == s.end)
                        continue;
                is_list = *s.from == '-' && (s.from + 1 == s.end || is_blank(s.from[1]));
                if ((size_t) (s.from - line) < column + !is_list)
                        return false;
                s.from += is_list;
                if (entry_equals(s, item, !is_list))
                        return true;
        }
        return false;
}

/* Searches what follows "KEY:". */
static bool value_has(const char *p, const char *end, size_t column, const char *item) {
        const char *stop = find_end_of_line(p, end);
        Span s = span_trim((Span) { p, stop });

        if (s.from == s.end) {
                stop = memchr(stop, '\n', (size_t) (end - stop));
                return stop && block_has(stop + 1, end, column, item);
        }
        if (*s.from == '[' || *s.from == '{')
                return flow_has(s.from + 1, end, item, *s.from == '{');
        return entry_equals(s, item, /* is_pair= */ false);
}

/* Return: behind the colon, if the word at @p, in the line that begins at @line, is a key; else NULL. */
static const char *skip_key(const char *line, const char *p, const char *end, size_t n) {
        const char *behind = p + n;
        char quote = p > line && (p[-1] == '"' || p[-1] == '\'') ? p[-1] : '\0';

        p -= quote != '\0';
        if (p > line && !is_blank(p[-1]) && p[-1] != '{' && p[-1] != ',')
                return NULL;
        if (quote && (behind == end || *behind++ != quote))
                return NULL;
        while (behind < end && is_blank(*behind))
                behind++;
        if (behind == end || *behind++ != ':')
                return NULL;
        if (!quote && behind < end && !is_blank(*behind) && *behind != '\n')
                return NULL;
        return find_end_of_line(line, p + 1) == p + 1 ? behind : NULL; /* not in a comment */
}

/**
 * policy_words_have() - does a key of this name have @item as an entry?
 * @text: need not end with NUL
 * @item: an entry of a list; for a map, name=value, or name="value" with blanks
 *
 * It does not know which rule the key belongs to.
 */
bool policy_words_have(const char *text, size_t size, const char *key, const char *item) {
        const char *end = text + size, *line = text, *p = text;
        size_t n;

        assert((text || size == 0) && key && *key && item);

        if (size == 0 || *item == '\0')
                return false;
        n = strlen(key);
        while ((p = memmem(p, (size_t) (end - p), key, n))) {
                const char *before = memrchr(line, '\n', (size_t) (p - line)), *value;

                line = before ? before + 1 : line;
                value = skip_key(line, p, end, n);
                if (value && value_has(value, end, (size_t) (p - line), item))
                        return true;
                p += n;
        }
        return false;
}
