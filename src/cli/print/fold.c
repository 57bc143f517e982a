/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Fold: puts what does not fit on a line of a terminal below it, further to the right than its beginning. It breaks at
 * blanks only, since what has none is a name or a path, which people copy. Sequences for colours take no room. Owns
 * nothing.
 */

#include "cli/print/fold.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "cli/print/wrap.h"

#define INDENT_MORE 4U                  /* of what follows, as seen from the line */

/* Bytes of the sequence for a colour at @p; 0: there is none. */
static size_t sequence_length(const char *p) {
        size_t n;

        if (p[0] != '\x1b' || p[1] != '[')
                return 0;
        n = 2 + strspn(p + 2, "0123456789;");
        return p[n] == 'm' ? n + 1 : 0;
}

/* Bytes of the character or sequence at @p, and the columns that it takes. */
static size_t piece_length(const char *p, size_t *ret_columns) {
        size_t n = sequence_length(p);

        if (n == 0)
                return wrap_measure(p, ret_columns);
        *ret_columns = 0;
        return n;
}

static size_t columns_of(const char *text) {
        size_t sum = 0, columns;

        for (; *text; sum += columns)
                text += piece_length(text, &columns);
        return sum;
}

/* The column in which the rest begins: that of the text behind a label, else a bit to the right of the beginning. */
static size_t find_indent(const char *line) {
        size_t column = 0, beginning = 0, columns;

        for (const char *p = line; *p; column += columns) {
                if (*p != ' ' && beginning == 0 && sequence_length(p) == 0)
                        beginning = column + 1;
                if (*p == ':' && column == LABEL_COLUMNS - 2)
                        return LABEL_COLUMNS;
                if (beginning > 0 && column >= LABEL_COLUMNS - 2)
                        break;
                p += piece_length(p, &columns);
        }
        return (beginning > 0 ? beginning - 1 : 0) + INDENT_MORE;
}

/*
 * Where the first line ends: before the last blank that it has room for. What would have no room on the next one
 * either stays on it: the terminal breaks it, and it can still be copied.
 */
static const char *find_end(const char *text, size_t room, size_t room_below) {
        const char *end = NULL;
        size_t used = 0, used_at_end = 0, columns;
        bool any = false;               /* of what is to be seen */

        for (const char *p = text;; used += columns) {
                if ((*p == ' ' && any) || !*p) {
                        if (end && used > room && used - used_at_end - 1 <= room_below)
                                return end;
                        end = p;
                        used_at_end = used;
                }
                if (!*p)
                        return p;
                any |= *p != ' ' && sequence_length(p) == 0;
                p += piece_length(p, &columns);
        }
}

/**
 * fold_line() - print a line, as several if it is too long
 * @line:  without its end
 * @width: of the terminal in columns; 0: there is no limit
 */
void fold_line(FILE *f, const char *line, size_t width) {
        size_t indent = 0;

        assert(f && line);

        if (width > 0 && columns_of(line) > width)
                indent = find_indent(line);
        if (indent == 0 || indent >= width / 2) {
                (void) fprintf(f, "%s\n", line);
                return;
        }
        for (size_t room = width; *line; room = width - indent) {
                const char *end = find_end(line, room, width - indent);

                (void) fprintf(f, "%*s%.*s\n", room < width ? (int) indent : 0, "", (int) (end - line),
                               line);
                line = end + strspn(end, " ");
        }
}
