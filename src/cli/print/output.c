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

#include "cli/print/format.h"

static const char *const tone_code[_TONE_MAX] = {
        [TONE_PLAIN] = "\x1b[0m",
        [TONE_GOOD] = "\x1b[32m",
        [TONE_WARN] = "\x1b[33m",
        [TONE_BAD] = "\x1b[1;31m",
        [TONE_DIM] = "\x1b[2m",
        [TONE_STRONG] = "\x1b[1m",
};

static bool colour_wanted(int fd) {
        const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");

        return isatty(fd) && !(no_colour && *no_colour) && term && !streq(term, "dumb");
}

/* Call it after setlocale(). NO_COLOR: https://no-color.org */
void output_init(Output *out) {
        assert(out);

        *out = (Output) {
                .stdout_colour = colour_wanted(STDOUT_FILENO),
                .stderr_colour = colour_wanted(STDERR_FILENO),
                .stderr_terminal = isatty(STDERR_FILENO),
                .utf8 = streq(nl_langinfo(CODESET), "UTF-8"),
        };
}

void output_done(Output *out) {
        assert(out);

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

/* The left part of "    Kernel: 6.12.48"; the caller prints the right one. */
void output_label(const Output *out, const char *label) {
        printf("%s%12s:%s ", output_tone(out, stdout, TONE_DIM), label, output_tone(out, stdout, TONE_PLAIN));
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
