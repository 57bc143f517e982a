/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LintText: bytes in modprobe.d that nobody sees, with which a line is not what it looks like. */

#include "cli/offline/lint-text.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/text.h"

static int lint_encoding(Lint *l, const char *file, const char *instead) {
        Finding finding = { FINDING_ENCODING, file, 1, 0, instead, NULL };

        return lint_report(l, &finding, "the file is in UTF-16, of which no line is understood");
}

static bool is_utf16(const char *text, size_t size) {
        size_t n_nuls = 0;

        if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
                return true;
        for (size_t i = 0; i < size; i++)
                n_nuls += text[i] == '\0';
        return size >= 8 && n_nuls > size / 3;
}

/* As web pages have it; beside it, no word ends. */
#define NO_BREAK_SPACE 0xa0
static uint32_t hidden_at(const char *p, bool in_comment) {
        return !in_comment && startswith(p, "\xc2\xa0") ? NO_BREAK_SPACE : text_hidden_code_point(p);
}

static int report_hidden(Lint *l, const char *file, unsigned line, unsigned column, uint32_t hidden) {
        Finding finding = { FINDING_HIDDEN_CHARACTER, file, line, column, "the line without it", NULL };

        if (hidden == 0xfeff && line == 1 && column == 1) {
                finding.instead = "the file without it: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE";
                return lint_report(
                        l, &finding,
                        "U+FEFF, a byte order mark, belongs to the first word, so this line is not understood");
        }
        if (hidden == NO_BREAK_SPACE) {
                finding.instead = "a blank";
                return lint_report(l, &finding,
                                   "U+00A0, a no-break space, is no blank here but a part of the word");
        }
        return lint_report(l, &finding,
                           "U+%04" PRIX32 ", which people do not see: this line looks like another one",
                           hidden);
}

/* One of a line is enough. Comments too: a line may look like a comment, and the other way round. */
static int lint_line(Lint *l, const char *file, unsigned line, const char *text, size_t size) {
        unsigned column = 1;

        for (const char *p = text; p < text + size && *p; column++) {
                uint32_t hidden = hidden_at(p, *text == '#');

                if (hidden > 0)
                        return report_hidden(l, file, line, column, hidden);
                for (p++; ((unsigned char) *p & 0xc0) == 0x80; p++)
                        ;
        }
        if (memchr(text, '\0', size)) {
                Finding finding = { FINDING_HIDDEN_CHARACTER, file, line, 0, "the line without it", NULL };

                return lint_report(l, &finding, "a NUL byte hides the rest of this line");
        }
        return 0;
}

static int report_carriage_returns(Lint *l, const char *file, unsigned first, size_t n) {
        Finding finding = { FINDING_CARRIAGE_RETURN,
                            file,
                            first,
                            0,
                            "lines that end in LF alone: sed -i 's/\\r$//' FILE",
                            NULL };

        return lint_report(l, &finding,
                           "%zu line%s end%s in CR LF, and the CR belongs to the last word: such a name or "
                           "parameter matches nothing",
                           n, n == 1 ? "" : "s", n == 1 ? "s" : "");
}

int lint_text(Lint *l, const char *file, const char *text, size_t size, bool *ret_garbled) {
        unsigned line = 1, first_cr = 0;
        size_t n_cr = 0;
        int r = 0;

        assert(l && file && text && ret_garbled);

        *ret_garbled = is_utf16(text, size);
        if (*ret_garbled)
                return lint_encoding(l, file, "the same in UTF-8: iconv -f UTF-16 -t UTF-8");
        for (const char *p = text, *end = text + size; r >= 0 && p < end; line++) {
                const char *newline = memchr(p, '\n', (size_t) (end - p)) ?: end;

                if (newline > p && newline[-1] == '\r' && *p != '#') {
                        first_cr = first_cr > 0 ? first_cr : line;
                        n_cr++;
                }
                r = lint_line(l, file, line, p, (size_t) (newline - p));
                p = newline + 1;
        }
        return r < 0 || n_cr == 0 ? r : report_carriage_returns(l, file, first_cr, n_cr);
}
