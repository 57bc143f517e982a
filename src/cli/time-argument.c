/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Times as people type them: spans such as "1h 30min", and points in time. Owns nothing. */

#include "cli/time-argument.h"

#include <assert.h>
#include <time.h>

#include "cli/usage/usage.h"
#include "common/base/clock.h"
#include "common/base/time-span.h"
#include "common/base/util.h"

#define SPAN_MAX_USEC (UINT64_C(100) * 365 * 86400 * USEC_PER_SEC)

/**
 * parse_seconds() - "5", "0.25", "90."
 * @ret_usec: what is finer than a microsecond is cut off
 *
 * Return: 0; -EINVAL: anything else than digits with at most one point; -ERANGE: more than the daemon can
 * count.
 */
int parse_seconds(const char *s, uint64_t *ret_usec) {
        uint64_t usec = 0, unit = USEC_PER_SEC;
        bool fraction = false, digits = false;

        assert(s && ret_usec);

        for (; *s; s++) {
                if (*s == '.' && !fraction) {
                        fraction = true;
                        continue;
                }
                if (*s < '0' || *s > '9')
                        return -EINVAL;

                digits = true;
                if (fraction) {
                        unit /= 10;
                        usec += unit * (uint64_t) (*s - '0');
                } else {
                        if (usec > INT64_MAX / 10 - 9 * USEC_PER_SEC)
                                return -ERANGE;
                        usec = usec * 10 + USEC_PER_SEC * (uint64_t) (*s - '0');
                }
        }
        if (!digits)
                return -EINVAL;

        *ret_usec = usec;
        return 0;
}

/**
 * parse_time_span() - "10min", "2h", "1h 30min", "90" (seconds)
 *
 * Return: 0; -EINVAL; -ERANGE: more than a hundred years.
 */
int parse_time_span(const char *s, uint64_t *ret_usec) {
        uint64_t usec = 0;
        bool any = false;
        int r;

        assert(s && ret_usec);

        for (s += strspn(s, " "); *s != '\0'; any = true) {
                TimeSpanPart part;

                r = time_span_take(&s, &part);
                if (r < 0)
                        return r;
                if (part.has_fraction || (!part.has_unit && (any || *s != '\0')))
                        return -EINVAL;
                if (part.usec > SPAN_MAX_USEC - usec)
                        return -ERANGE;
                usec += part.usec;
        }
        if (!any)
                return -EINVAL;

        *ret_usec = usec;
        return 0;
}

static int parse_date(const char *s, uint64_t *ret_usec) {
        static const char *const formats[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
                                               "%Y-%m-%dT%H:%M:%S" };

        for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
                struct tm tm = { .tm_isdst = -1 };
                const char *end = strptime(s, formats[i], &tm);
                int day = tm.tm_mday;
                time_t t;

                if (!end || *end)
                        continue;
                t = mktime(&tm);
                if (t < 0 || tm.tm_mday != day) /* there is no 31st of February */
                        return -EINVAL;
                *ret_usec = (uint64_t) t * USEC_PER_SEC;
                return 0;
        }
        return -EINVAL;
}

/**
 * parse_since() - "2h" (ago), "2026-11-01" (local time), "boot"
 * @now_usec: CLOCK_REALTIME
 * @ret_usec: likewise; SINCE_BOOT for "boot"
 *
 * Return: 0; -EINVAL; -ERANGE: before the clock begins.
 */
int parse_since(const char *s, uint64_t now_usec, uint64_t *ret_usec) {
        uint64_t span;
        int r;

        assert(s && ret_usec);

        if (streq(s, "boot")) {
                *ret_usec = SINCE_BOOT;
                return 0;
        }
        if (parse_date(s, ret_usec) >= 0)
                return 0;
        r = parse_time_span(s, &span);
        if (r < 0)
                return r;
        if (span > now_usec)
                return -ERANGE;
        *ret_usec = now_usec - span;
        return 0;
}
