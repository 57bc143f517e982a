/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Output: one place that knows of JSON modes, terminals and colours. Owns the JSON objects collected for
 * one array. Text itself is printed by the verbs with stdio; output_flush() says at the end whether it
 * arrived.
 */

#include "cli/print/output.h"

#include <assert.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>

#include "cli/print/fold.h"
#include "cli/print/format.h"
#include "cli/print/screen.h"
#include "common/base/enum-names.h"

static const char *const tone_code[_TONE_MAX] = {
        [TONE_PLAIN] = "\x1b[0m",
        [TONE_GOOD] = "\x1b[32m",
        [TONE_WARN] = "\x1b[33m",
        [TONE_BAD] = "\x1b[1;31m",
        [TONE_DIM] = "\x1b[2m",
        [TONE_STRONG] = "\x1b[1m",
};

static const char *const colour_modes[_COLOUR_MODE_MAX] = {
        [COLOUR_AUTO] = "auto",
        [COLOUR_ALWAYS] = "always",
        [COLOUR_NEVER] = "never",
};

ColourMode colour_mode_from_string(const char *s) {
        return (ColourMode) ENUM_VALUE(colour_modes, s);
}

/* https://no-color.org goes before https://bixense.com/clicolors, and what is asked for by an option before both. */
static bool colour_wanted(ColourMode mode, int fd) {
        const char *none = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");

        if (mode != COLOUR_AUTO)
                return mode == COLOUR_ALWAYS;
        if (none && *none)
                return false;
        if (force && *force && !streq(force, "0"))
                return true;
        return isatty(fd) && term && !streq(term, "dumb");
}

/* The one place that decides about colours. */
void output_set_colour(Output *out, ColourMode mode) {
        assert(out);

        out->stdout_colour = colour_wanted(mode, STDOUT_FILENO);
        out->stderr_colour = colour_wanted(mode, STDERR_FILENO);
}

/* Call it after setlocale(). */
void output_init(Output *out) {
        assert(out);

        *out = (Output) {
                .stderr_terminal = isatty(STDERR_FILENO),
                .utf8 = streq(nl_langinfo(CODESET), "UTF-8"),
        };
        output_set_colour(out, COLOUR_AUTO);
}

/**
 * output_begin() - the answer of a verb follows, which people may read at their leisure
 * @paged:  in a pager, if it is longer than the terminal
 * @folded: with long lines folded; JSON never has
 *
 * Return: 0; negative errno.
 */
int output_begin(Output *out, bool paged, bool folded) {
        assert(out && !out->screen);

        return screen_new(&out->screen, out->utf8, paged, folded && out->json == JSON_OFF);
}

/* With a pager it waits for its end. */
void output_done(Output *out) {
        assert(out);

        out->screen = screen_free(out->screen);
        out->items = sd_json_variant_unref(out->items);
}

/**
 * output_json() - one object of the answer
 * @v: borrowed
 *
 * Within a list it is one item: a line of its own (short) or an element of the array to come (pretty). Each
 * line is flushed, since somebody may be waiting for it at the other end of a pipe.
 */
int output_json(Output *out, sd_json_variant *v) {
        int r;

        assert(out && out->json != JSON_OFF);

        if (out->collecting && out->json == JSON_PRETTY)
                return sd_json_variant_append_array(&out->items, v);

        r = sd_json_variant_dump(v, out->json == JSON_PRETTY ?
                                 SD_JSON_FORMAT_PRETTY | (out->stdout_colour ? SD_JSON_FORMAT_COLOR : 0) :
                                 SD_JSON_FORMAT_NEWLINE, stdout, NULL);
        if (r < 0)
                return r;
        return output_flush();
}

void output_list_begin(Output *out) {
        assert(out && !out->collecting);

        out->collecting = true;
}

int output_list_end(Output *out) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *items = NULL;
        int r;

        assert(out && out->collecting);

        out->collecting = false;
        items = STEAL_PTR(out->items);
        if (out->json != JSON_PRETTY)
                return 0;
        if (!items) {
                r = sd_json_variant_new_array(&items, NULL, 0);
                if (r < 0)
                        return r;
        }
        return output_json(out, items);
}

/* The sequence that switches @f, standard output or error, to a colour; empty where colours are not used. */
const char *output_tone(const Output *out, FILE *f, Tone tone) {
        assert(out && tone < _TONE_MAX);

        return (f == stderr ? out->stderr_colour : out->stdout_colour) ? tone_code[tone] : "";
}

/* On standard output. */
void output_toned(const Output *out, Tone tone, const char *text) {
        printf("%s%s%s", output_tone(out, stdout, tone), text, output_tone(out, stdout, TONE_PLAIN));
}

/* What a section of an answer is about, on a line of its own below an empty one. */
void output_title(const Output *out, const char *title) {
        putchar('\n');
        output_toned(out, TONE_STRONG, title);
        putchar('\n');
}

/* "      try: ", before what somebody may do about it; the caller prints that. */
void output_hint(const Output *out, int indent, const char *label) {
        printf("%*s%s%s:%s ", indent, "", output_tone(out, stdout, TONE_DIM), label,
               output_tone(out, stdout, TONE_PLAIN));
}

/* The left part of "    Kernel: 6.12.48"; the caller prints the right one. */
void output_label(const Output *out, const char *label) {
        printf("%s%*s:%s ", output_tone(out, stdout, TONE_DIM), LABEL_COLUMNS - 2, label,
               output_tone(out, stdout, TONE_PLAIN));
}

/* The beginning of a command to type: "lkmctl", with the host if there is one. */
void output_command(const Output *out, FILE *f) {
        (void) fputs("lkmctl ", f);
        if (out->host) {
                (void) fputs("-H ", f);
                print_escaped(f, out->host);
                (void) fputc(' ', f);
        }
}

/**
 * output_flush() - write what was printed
 *
 * Return: 0; -EPIPE: the reader has closed the pipe; another negative errno: output was lost.
 */
int output_flush(void) {
        struct pollfd reader = { .fd = STDOUT_FILENO };

        errno = 0;
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;
        if (errno > 0)
                return -errno;
        /* an earlier write failed, and stdio does not say why */
        return poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) ? -EPIPE : -EIO;
}
