/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"

typedef enum JsonMode {
        JSON_OFF,
        JSON_SHORT,                     /* one object a line */
        JSON_PRETTY,                    /* indented, several objects as one array */
} JsonMode;

typedef enum ColourMode {
        COLOUR_AUTO,                    /* on a terminal, unless the environment says otherwise */
        COLOUR_ALWAYS,
        COLOUR_NEVER,
        _COLOUR_MODE_MAX,
        _COLOUR_MODE_INVALID = -EINVAL,
} ColourMode;

typedef enum Tone {
        TONE_PLAIN,
        TONE_GOOD,
        TONE_WARN,
        TONE_BAD,
        TONE_DIM,
        TONE_STRONG,
        _TONE_MAX,
} Tone;

/* How the answer is shown. A plain structure, which main() fills. */
typedef struct Output {
        JsonMode json;
        bool quiet;                     /* no text about success */
        bool full;                      /* shorten nothing */
        bool stdout_colour, stderr_colour;
        bool stderr_terminal;           /* somebody watches: show progress */
        bool utf8;
        const char *host;               /* borrowed; NULL: this machine */

        struct Screen *screen;          /* between output_begin() and output_done(); NULL: no terminal */
        bool collecting;                /* between output_list_begin() and output_list_end() */
        sd_json_variant *items;
} Output;

void output_init(Output *out);
void output_done(Output *out);
ColourMode colour_mode_from_string(const char *s);
void output_set_colour(Output *out, ColourMode mode);
int output_begin(Output *out, bool paged, bool folded);

static inline bool output_wants_text(const Output *out) {
        return out->json == JSON_OFF && !out->quiet;
}

int output_json(Output *out, sd_json_variant *v);
void output_list_begin(Output *out);
int output_list_end(Output *out);

const char *output_tone(const Output *out, FILE *f, Tone tone);
void output_toned(const Output *out, Tone tone, const char *text);
void output_title(const Output *out, const char *title);
void output_label(const Output *out, const char *label);
void output_hint(const Output *out, int indent, const char *label);
void output_command(const Output *out, FILE *f);
int output_flush(void);
