/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ConfigLine: cuts the caller's text into lines and words, in place. Owns nothing. */

#include "common/words/config-line.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define BLANKS "\t "

/**
 * config_word_next() - cut off the first word
 * @rest: moved behind the blank that ends the word
 *
 * Return: the word; NULL: there is none.
 */
char *config_word_next(char **rest) {
        char *word, *end;

        assert(rest && *rest);

        word = *rest + strspn(*rest, BLANKS);
        end = word + strcspn(word, BLANKS);
        if (end == word)
                return NULL;

        *rest = *end ? end + 1 : end;
        *end = '\0';
        return word;
}

/**
 * config_line_next() - cut the next logical line off [*pos, end)
 * @end:         the byte there is writable, too
 * @ret_n_lines: number of its physical lines
 *
 * "\<newline>" joins lines, "\x" is x, a NUL hides the rest of the line.
 *
 * Return: the line; NULL: there are no more.
 */
char *config_line_next(char **pos, char *end, unsigned *ret_n_lines) {
        char *from, *line, *to;
        bool ended = false;

        assert(pos && *pos && end && ret_n_lines);

        from = line = to = *pos;
        *ret_n_lines = 0;
        while (from < end && !ended) {
                char c = *from++;

                if (c == '\\') {
                        if (from == end)
                                break;
                        c = *from++;
                        if (c == '\n') {
                                (*ret_n_lines)++;
                                continue;
                        }
                } else if (c == '\n') {
                        ended = true;
                        continue;
                }
                *to++ = c;
        }

        if (!ended && to == line)
                return NULL;

        (*ret_n_lines)++;
        *pos = from;
        *to = '\0';
        return line;
}
