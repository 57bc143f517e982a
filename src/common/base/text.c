/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text: makes foreign bytes fit for messages, the journal and JSON. Owns nothing. */

#include "common/base/text.h"

#include <assert.h>
#include <stdint.h>

#include "common/base/util.h"

#define ESCAPED_LENGTH 4U               /* \xNN */

/*
 * Code points that are no control characters but are invisible, or change the order in which their
 * neighbours are shown: a text with them looks like a different text (Unicode Standard Annex #9, Technical
 * Report #36). The variation selectors U+FE00 .. U+FE0F are not among them: they choose between two glyphs
 * of one character.
 */
static const struct {
        uint32_t first, last;
} hidden[] = {
        { 0xad, 0xad },                 /* soft hyphen */
        { 0x34f, 0x34f },               /* combining grapheme joiner */
        { 0x61c, 0x61c },               /* Arabic letter mark */
        { 0x115f, 0x1160 },             /* Hangul fillers */
        { 0x17b4, 0x17b5 },             /* Khmer vowels without a glyph */
        { 0x180e, 0x180e },             /* Mongolian vowel separator */
        { 0x200b, 0x200f },             /* zero width, and marks of direction */
        { 0x2028, 0x202e },             /* separators of lines and paragraphs, embeddings, overrides */
        { 0x2060, 0x206f },             /* word joiner, invisible operators, isolates, shaping */
        { 0x3164, 0x3164 },             /* Hangul filler */
        { 0xfeff, 0xfeff },             /* byte order mark */
        { 0xffa0, 0xffa0 },             /* Hangul filler of half width */
        { 0xfff9, 0xfffb },             /* interlinear annotations */
        { 0x1bca0, 0x1bca3 },           /* format controls of shorthand .. */
        { 0x1d173, 0x1d17a },           /* .. and of music */
        { 0xe0000, 0xe0fff },           /* tags, and variation selectors that nothing uses */
};

static bool is_hidden(uint32_t c) {
        for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
                if (c >= hidden[i].first && c <= hidden[i].last)
                        return true;
        return false;
}

/* Length of the well-formed multi-byte character at @p, and its code point; 0: there is none. */
static size_t decode(const unsigned char *p, uint32_t *ret) {
        static const struct {
                unsigned char mask, lead;
                size_t length;
                uint32_t min;
        } forms[] = {
                { 0xe0, 0xc0, 2, 0x80 },
                { 0xf0, 0xe0, 3, 0x800 },
                { 0xf8, 0xf0, 4, 0x10000 },
        };

        for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
                uint32_t c;

                if ((*p & forms[i].mask) != forms[i].lead)
                        continue;
                c = (uint32_t) (*p & ~forms[i].mask);
                for (size_t k = 1; k < forms[i].length; k++) {
                        if ((p[k] & 0xc0) != 0x80)
                                return 0;
                        c = c << 6 | (p[k] & 0x3fU);
                }
                if (c < forms[i].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                        return 0;
                *ret = c;
                return forms[i].length;
        }
        return 0;
}

/**
 * text_printable_length() - length of the printable UTF-8 character (RFC 3629) at @text
 * @text: ends in NUL
 *
 * Return: its bytes; 0 if it is not well-formed, a control character, invisible, or changes the direction of
 * what follows.
 */
size_t text_printable_length(const char *text) {
        const unsigned char *p = (const unsigned char *) text;
        uint32_t c;
        size_t n;

        if (*p < 0x80)
                return *p >= 0x20 && *p != 0x7f ? 1 : 0;

        n = decode(p, &c);
        return n == 0 || c < 0xa0 || is_hidden(c) ? 0 : n; /* below 0xa0 are the C1 control characters */
}

/**
 * text_hidden_code_point() - the character at @text if it makes the text look like a different one
 * @text: ends in NUL
 *
 * Return: the code point of a well-formed character beyond ASCII that is not printable; 0: it is none.
 */
uint32_t text_hidden_code_point(const char *text) {
        uint32_t c;

        if (decode((const unsigned char *) text, &c) == 0)
                return 0;
        return c < 0xa0 || is_hidden(c) ? c : 0;
}

/*
 * Copies one character of *text to @ret, or its first byte escaped, and moves *text behind it. Return: bytes
 * written, at most ESCAPED_LENGTH.
 */
static size_t move_character(const char **text, char *ret) {
        static const char digits[] = "0123456789abcdef";
        unsigned char byte = (unsigned char) **text;
        size_t length = text_printable_length(*text);

        if (length > 0) {
                memcpy(ret, *text, length);
                *text += length;
                return length;
        }

        memcpy(ret, (char[]) { '\\', 'x', digits[byte >> 4], digits[byte & 0xf] }, ESCAPED_LENGTH);
        *text += 1;
        return ESCAPED_LENGTH;
}

/**
 * text_escape() - make any bytes fit for JSON, the journal and terminals
 *
 * Return: 0; -ENOMEM.
 */
int text_escape(const char *text, char **ret) {
        char *escaped, *p;

        assert(text && ret);

        escaped = p = malloc(strlen(text) * ESCAPED_LENGTH + 1);
        if (!escaped)
                return -ENOMEM;
        while (*text != '\0')
                p += move_character(&text, p);
        *p = '\0';

        *ret = escaped;
        return 0;
}

/**
 * text_escape_format() - the same of a text that is made first
 * @ret: to be freed
 *
 * Return: 0; -ENOMEM.
 */
int text_escape_format(char **ret, const char *format, va_list arguments) {
        _cleanup_(freep) char *text = NULL;

        assert(ret && format);

        if (vasprintf(&text, format, arguments) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return text_escape(text, ret);
}

/**
 * text_show() - the beginning of a text, for a message
 */
void text_show(const char *text, char ret[static TEXT_SHOWN_MAX]) {
        static const char more[] = "...";
        size_t n = 0;

        assert(text);

        while (*text != '\0' && n + ESCAPED_LENGTH + sizeof(more) <= TEXT_SHOWN_MAX)
                n += move_character(&text, ret + n);
        ret[n] = '\0';
        if (*text != '\0')
                memcpy(ret + n, more, sizeof(more));
}
