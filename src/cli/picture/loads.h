/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-json.h>

#include "cli/history/history.h"

#define NO_LOAD SIZE_MAX                /* the index of none */

typedef enum LoadFate {
        LOAD_DONE,                      /* loaded, or its command was run */
        LOAD_FAILED,                    /* also kept out, or not tried since something that it needs failed */
        LOAD_UNDER_WAY,
} LoadFate;

/* One load, with the times of its record made comparable: CLOCK_MONOTONIC, none before the one above it. */
typedef struct Load {
        sd_json_variant *record;        /* Record of io.lkmd.Manager; borrowed from the history */
        const char *module, *origin;    /* borrowed from there */
        LoadFate fate;
        bool seen;                      /* lkmd did not load it: it saw at ended_usec that it was there */
        bool slow;                      /* took longer than SlowLoadSec= */
        bool gone;                      /* the module has left the kernel since */
        uint64_t queued_usec;
        uint64_t began_usec;
        uint64_t live_usec;             /* when the module was usable; ended_usec where that is not known */
        uint64_t ended_usec;
        uint64_t took_usec;             /* in the kernel, or of the command, by the clock of lkmd-loader */
        uint64_t live_after_usec;       /* of that, until it was usable */
        size_t parent;                  /* the load that it came along with; NO_LOAD: none, or not known */
} Load;

/* What was loaded in a boot, by the time at which each was queued or seen. */
typedef struct Loads {
        Load *items;
        size_t n_items;
        size_t n_later;                 /* left out, since the machine had settled before */
        size_t n_untimed;               /* left out, since nobody knows when they were */
        uint64_t end_usec;              /* when the last one ended; 0: there is none */
        bool complete;                  /* nothing of this boot has been forgotten */
} Loads;

int loads_new(const History *history, bool all, uint64_t now_usec, Loads *ret);
void loads_clear(Loads *loads);

size_t loads_find(const Loads *loads, const char *module);
size_t loads_last(const Loads *loads);
bool load_was_there_before(const Load *load);
int load_to_json(const Load *load, sd_json_variant **ret);
