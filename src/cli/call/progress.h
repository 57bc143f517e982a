/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-json.h>

typedef struct ProgressItem {
        char *module;
        uint64_t since_usec;            /* CLOCK_MONOTONIC */
} ProgressItem;

/*
 * Progress: what is under way, on one line of the terminal that is rewritten again and again. A plain structure, {} to
 * begin.
 */
typedef struct Progress {
        ProgressItem *items;
        size_t n_items;
        uint64_t since_usec;            /* of the call; 0: not begun */
        int n_shown;                    /* characters on the line now */
} Progress;

void progress_event(Progress *p, sd_json_variant *event, uint64_t now_usec);
void progress_print(const Progress *p, FILE *f, uint64_t now_usec);
void progress_draw(Progress *p);
void progress_clear(Progress *p);
void progress_done(Progress *p);
