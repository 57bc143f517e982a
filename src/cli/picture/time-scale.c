/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TimeScale: a span of time with marks at round moments, of which there are never too many. Owns nothing. */

#include "cli/picture/time-scale.h"

#include <assert.h>

#include "common/base/util.h"

/* The first of 1, 2, 5, 10, 20, 50 ... (in microseconds) by which there are no more than @marks_max marks. */
static uint64_t round_step(uint64_t span_usec, unsigned marks_max) {
        static const unsigned factors[] = { 1, 2, 5 };
        uint64_t step = 1;

        for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10)
                for (size_t i = 0; i < ARRAY_LEN(factors); i++) {
                        step = power * factors[i];
                        if (span_usec / step < marks_max)
                                return step;
                }
        return step;
}

/**
 * time_scale_make() - a scale that has room for two moments
 * @left, @width: in the units of the picture
 * @marks_max:    at least 3
 */
TimeScale time_scale_make(uint64_t first_usec, uint64_t last_usec, double left, double width,
                          unsigned marks_max) {
        TimeScale s = { .left = left, .width = width };

        assert(marks_max >= 3 && width > 0);

        last_usec = MAX(last_usec, first_usec + 1);
        s.step_usec = round_step(last_usec - first_usec, marks_max - 1);
        s.begin_usec = first_usec - first_usec % s.step_usec;
        s.end_usec = last_usec % s.step_usec == 0 ? last_usec
                                                  : last_usec - last_usec % s.step_usec + s.step_usec;
        return s;
}

/* What is outside of the scale is at its ends. */
double time_scale_x(const TimeScale *s, uint64_t usec) {
        assert(s && s->end_usec > s->begin_usec);

        usec = MIN(MAX(usec, s->begin_usec), s->end_usec);
        return s->left + s->width * (double) (usec - s->begin_usec) / (double) (s->end_usec - s->begin_usec);
}
