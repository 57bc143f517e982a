/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* TimeScale: where in a picture a moment is. */
typedef struct TimeScale {
        uint64_t begin_usec, end_usec;  /* both at marks of the scale */
        uint64_t step_usec;             /* between two marks */
        double left, width;             /* where the scale begins, and how wide it is */
} TimeScale;

TimeScale time_scale_make(uint64_t first_usec, uint64_t last_usec, double left, double width,
                          unsigned marks_max);
double time_scale_x(const TimeScale *s, uint64_t usec);
