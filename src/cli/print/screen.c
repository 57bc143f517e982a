/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Screen: a stream in the place of standard output, for answers that people read on a terminal. It folds lines that
 * are too long and hands them to a pager. The descriptor of standard output stays the terminal, whose width others
 * ask for. Owns the pager and the line that is not complete yet.
 */

#include "cli/print/screen.h"

#include <assert.h>

#include "cli/print/fold.h"
#include "cli/print/pager.h"
#include "cli/print/wrap.h"
#include "common/base/array.h"

#define BUFFER_SIZE (64U * 1024U)

struct Screen {
        FILE *stdout_before;
        FILE *stream;                   /* takes its place */
        Pager *pager;                   /* NULL: none */
        size_t width;                   /* 0: lines stay as they are */
        bool held;                      /* they do so for the time being */
        char *line;                     /* its beginning, not terminated */
        size_t n_line, line_allocated;
};

/* Return: 0; negative errno. */
static int show(const Screen *s, const char *text, size_t size) {
        if (s->pager)
                return pager_write(s->pager, text, size);
        for (size_t done = 0; done < size;) {
                ssize_t n = write(STDOUT_FILENO, text + done, size - done);

                if (n >= 0)
                        done += (size_t) n;
                else if (errno != EINTR)
                        return -errno;
        }
        return 0;
}

static int add_to_line(Screen *s, const char *text, size_t size) {
        int r;

        r = array_reserve(&s->line, &s->line_allocated, s->n_line + size + 1, 1);
        if (r < 0)
                return r;
        memcpy(s->line + s->n_line, text, size);
        s->n_line += size;
        s->line[s->n_line] = '\0';
        return 0;
}

/* The line is complete. */
static int show_line(Screen *s) {
        _cleanup_(freep) char *folded = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        size_t size;

        f = open_memstream(&folded, &size);
        if (!f)
                return -ENOMEM;
        fold_line(f, s->line, s->width);
        if (fflush(f) != 0)
                return -ENOMEM;
        s->n_line = 0;
        s->line[0] = '\0';
        return show(s, folded, size);
}

static ssize_t on_text(void *cookie, const char *text, size_t size) {
        Screen *s = cookie;
        int r = 0;

        if (s->width == 0 || s->held)
                return show(s, text, size) < 0 ? 0 : (ssize_t) size;
        for (size_t done = 0, n; r >= 0 && done < size; done += n) {
                const char *end = memchr(text + done, '\n', size - done);

                n = end ? (size_t) (end - (text + done)) : size - done;
                r = add_to_line(s, text + done, n);
                if (r < 0 || !end)
                        continue;
                r = show_line(s);
                n++;
        }
        return r < 0 ? 0 : (ssize_t) size;
}

/**
 * screen_new() - have what is printed from now on shown as people read it
 * @utf8:   what the text is in
 * @paged:  in a pager, if it is longer than the terminal
 * @folded: with long lines folded; not for text that is for programs
 *
 * Return: 0, and NULL if standard output is no terminal; negative errno.
 */
int screen_new(Screen **ret, bool utf8, bool paged, bool folded) {
        static const cookie_io_functions_t functions = { .write = on_text };
        _cleanup_(screen_freep) Screen *s = NULL;
        int r;

        assert(ret);

        *ret = NULL;
        if (!isatty(STDOUT_FILENO))
                return 0;
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->width = folded ? wrap_width() : 0;
        r = paged ? pager_new(&s->pager, utf8) : 0;
        if (r < 0)
                return r;

        (void) fflush(stdout);
        s->stream = fopencookie(s, "w", functions);
        if (!s->stream)
                return -ENOMEM;
        (void) setvbuf(s->stream, NULL, _IOFBF, BUFFER_SIZE);
        s->stdout_before = stdout;
        stdout = s->stream;
        *ret = STEAL_PTR(s);
        return 0;
}

/* Whether long lines are folded from now on: not those of a table, whose columns fit already. @s: NULL: none is */
void screen_fold(Screen *s, bool fold) {
        if (!s)
                return;
        (void) fflush(stdout);
        if (s->n_line > 0)
                (void) show(s, s->line, s->n_line);
        s->n_line = 0;
        s->held = !fold;
}

/* Shows what is left, and waits until the reader has left the pager. Return: NULL. */
Screen *screen_free(Screen *s) {
        if (!s)
                return NULL;

        if (s->stream) {
                (void) fclose(s->stream);
                stdout = s->stdout_before;
        }
        if (s->n_line > 0)
                (void) show(s, s->line, s->n_line);
        pager_free(s->pager);
        free(s->line);
        free(s);
        return NULL;
}
