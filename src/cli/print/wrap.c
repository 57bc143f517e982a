/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Wrap: lines of a width, counted in columns of a terminal by the locale (see setlocale(3)). Owns nothing. */

#include "cli/print/wrap.h"

#include <assert.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "common/base/util.h"

#define WIDTH_MIN 40U                   /* a terminal that is narrower breaks the lines itself */
#define WORD_LOST_MAX 4U                /* columns that are given up for a shortened text to end behind a word */
#define PARAGRAPH_MIN 12U               /* what is narrower cannot be read */
#define WIDTH_USUAL 80U                 /* of a terminal that does not say */

/* Bytes of the character at @p, and the columns that it takes; what is no character counts as one. */
size_t wrap_measure(const char *p, size_t *ret_columns) {
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
                text += wrap_measure(text, &columns);
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
                p += wrap_measure(p, &columns);
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
                length = wrap_measure(text + n, &columns);
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

/**
 * wrap_shorten() - as much of the text as there is room for, and an ellipsis if that is not all of it
 * @width: in columns, at least 1
 *
 * It ends behind a word if that is near, and behind a name of a list in any case. What takes no column belongs to the
 * character before it.
 *
 * Return: 0; -ENOMEM.
 */
int wrap_shorten(const char *text, size_t width, bool utf8, char **ret) {
        const char *ellipsis = utf8 ? "…" : &"..."[3 - MIN(width, (size_t) 3)];
        size_t room, n = 0, used = 0, columns, blank = 0;
        _cleanup_(freep) char *shortened = NULL;

        assert(text && width > 0 && ret);

        room = wrap_columns(ellipsis);
        room = wrap_columns(text) <= width ? SIZE_MAX : width - MIN(width, room);
        for (size_t length; text[n]; n += length, used += columns) {
                if (text[n] == ' ' && (used + WORD_LOST_MAX >= room || (n > 0 && text[n - 1] == ',')))
                        blank = n;
                length = wrap_measure(text + n, &columns);
                if (used + columns > room)
                        break;
        }
        if (text[n] && blank > 0)
                n = blank;
        while (text[n] && n > 0 && strchr(" ,:;", text[n - 1]))
                n--;
        if (asprintf(&shortened, "%.*s%s", (int) n, text, text[n] ? ellipsis : "") < 0) {
                shortened = NULL;
                return -ENOMEM;
        }

        *ret = STEAL_PTR(shortened);
        return 0;
}

/* Columns of the terminal that standard output is; 0: it is none, and lines are for programs, as long as they are. */
size_t wrap_width(void) {
        struct winsize size = {};

        if (!isatty(STDOUT_FILENO))
                return 0;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
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

/* Prints the text, whose first line begins in the column @indent: wrapped on a terminal, else on one line. */
void wrap_paragraph(const char *text, size_t indent) {
        size_t width = wrap_width();

        assert(text);

        if (width >= indent + PARAGRAPH_MIN)
                wrap_print(stdout, text, indent, width);
        else
                printf("%s\n", text);
}
