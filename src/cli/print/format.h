/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text for people: safe for a terminal, and numbers that are read at a glance. */

#include <stdint.h>
#include <stdio.h>

/* "1 module", "2 modules" */
static inline const char *plural(uint64_t n) {
        return n == 1 ? "" : "s";
}

void print_escaped(FILE *f, const char *s);
void print_markup(FILE *f, const char *text, size_t length);
void print_duration(FILE *f, uint64_t usec);
void print_age(FILE *f, uint64_t usec);
void print_size(FILE *f, uint64_t bytes);
void print_moment(FILE *f, uint64_t realtime_usec);
void print_date(FILE *f, uint64_t realtime_usec);
void print_time(FILE *f, uint64_t realtime_usec);
