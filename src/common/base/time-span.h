/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One part of a time span such as "1h 30min", as systemd.time(7) has them, up to weeks. */
typedef struct TimeSpanPart {
        uint64_t usec;
        bool has_unit;                  /* else it was in seconds */
        bool has_fraction;
} TimeSpanPart;

int time_span_take(const char **text, TimeSpanPart *ret);
int time_span_parse(const char *text, uint64_t *ret_usec);
