/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#define DURATION_SLOTS 1024U /* a power of two; a distribution kernel on one machine loads 100 to 300 */

/* Durations: how long the last load of a module took. A value; all zero is empty. */
typedef struct Durations {
        struct {
                uint32_t hash; /* 0: empty */
                uint32_t usec;
        } slots[DURATION_SLOTS];
} Durations;

void durations_note(Durations *d, const char *module, uint64_t usec);
uint64_t durations_expect(const Durations *d, const char *module);
