/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Wrap: lines of a width, counted in columns of a terminal by the locale (see setlocale(3)). Owns nothing. */

#include "cli/print/wrap.h"

#include <assert.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "common/base/util.h"

#define WIDTH_MIN 40U                   /* a terminal that is narrower breaks the lines itself */
#define WIDTH_USUAL 80U                 /* of a terminal that does not say */

/* Bytes of the character at @p, and the columns that it takes; what is no character counts as one. */
static size_t measure(const char *p, size_t *ret_columns) {
        mbstate_t state = {};
        wchar_t c;
        size_t n = mbrtowc(&c, p, MB_CUR_MAX, &state);
        int columns;

        if (n == 0 || n > MB_CUR_MAX) {
                *ret_columns = 1;
                return 1;
        }
        columns = wcwidth(c);
        *ret_columns = columns < 0 ? 1 : (size_t) columns;
        return n;
}

/* How many columns a text of one line takes. */
size_t wrap_columns(const char *text) {
        size_t sum = 0, columns;

        assert(text);

        for (; *text; sum += columns)
                text += measure(text, &columns);
        return sum;
}

/* May a line end before the character at @p? A blank there belongs to no line; paths and lists are long words. */
static bool is_break(const char *text, const char *p) {
        return *p == ' ' || (p > text && strchr("/,=", p[-1]));
}

/* The columns of the longest piece that has to be broken where a line is narrower. */
size_t wrap_longest_piece(const char *text) {
        size_t longest = 0, piece = 0, columns;

        assert(text);

        for (const char *p = text; *p; piece += columns) {
                if (is_break(text, p))
                        piece = 0;
                p += measure(p, &columns);
                longest = MAX(longest, piece + columns);
        }
        return longest;
}

/* Bytes of the first line: up to the last blank, else the last break, else as many as there is room for. */
static size_t line_length(const char *text, size_t width) {
        size_t n = 0, used = 0, last_blank = 0, last_break = 0, columns;

        for (size_t length; text[n]; n += length) {
                if (text[n] == ' ' && n > 0 && text[n - 1] != ' ')
                        last_blank = n;
                if (is_break(text, text + n))
                        last_break = n;
                length = measure(text + n, &columns);
                if (used + columns > width)
                        return last_blank > 0 ? last_blank : last_break > 0 ? last_break : MAX(n, length);
                used += columns;
        }
        return n;
}

/* The line after the one that ends at @end. */
static const char *next_line(const char *end) {
        return end + strspn(end, " ");
}

/**
 * wrap_text() - the text with line breaks, so that no line is wider than @width
 * @text: one line
 *
 * Return: 0; -ENOMEM.
 */
int wrap_text(const char *text, size_t width, char **ret) {
        _cleanup_(freep) char *lines = NULL;
        char *p;

        assert(text && width > 0 && ret);

        lines = p = malloc(2 * strlen(text) + 1);
        if (!lines)
                return -ENOMEM;
        while (*text) {
                size_t n = line_length(text, width);

                p = mempcpy(p, text, n);
                text = next_line(text + n);
                if (*text)
                        *p++ = '\n';
        }
        *p = '\0';

        *ret = STEAL_PTR(lines);
        return 0;
}

/* Columns of the terminal that @f is; 0: it is none, and lines are for programs, as long as they are. */
size_t wrap_width(FILE *f) {
        struct winsize size = {};

        assert(f);

        if (!isatty(fileno(f)))
                return 0;
        if (ioctl(fileno(f), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return WIDTH_USUAL;
        return MAX((size_t) size.ws_col, (size_t) WIDTH_MIN);
}

/**
 * wrap_print() - print the text, whose first line begins in the column @indent, and end the line
 * @text:   paragraphs end in a line break
 * @indent: of the lines that follow
 * @width:  of all, with the indent
 */
void wrap_print(FILE *f, const char *text, size_t indent, size_t width) {
        assert(f && text && width > indent);

        while (*text) {
                size_t n = line_length(text, width - indent), paragraph = strcspn(text, "\n");

                n = MIN(n, paragraph);
                (void) fwrite(text, 1, n, f);
                text = n == paragraph ? text + n + (text[n] == '\n') : next_line(text + n);
                if (*text)
                        (void) fprintf(f, "\n%*s", (int) indent, "");
        }
        (void) fputc('\n', f);
}
