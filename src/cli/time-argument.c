/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Times as people type them: spans such as "1h 30min", and points in time. Owns nothing. */

#include "cli/time-argument.h"

#include <assert.h>
#include <time.h>

#include "cli/format.h"
#include "common/util.h"

#define SPAN_MAX_SEC (UINT64_C(100) * 365 * 86400)

static const struct {
        const char *name;
        uint64_t sec;
} units[] = {
        { "s", 1 },
        { "sec", 1 },
        { "second", 1 },
        { "seconds", 1 },
        { "min", 60 },
        { "minute", 60 },
        { "minutes", 60 },
        { "m", 60 },
        { "h", 3600 },
        { "hour", 3600 },
        { "hours", 3600 },
        { "d", 86400 },
        { "day", 86400 },
        { "days", 86400 },
        { "w", 7 * 86400 },
        { "week", 7 * 86400 },
        { "weeks", 7 * 86400 },
};

static uint64_t unit_seconds(const char *name, size_t n) {
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
                if (strlen(units[i].name) == n && strncmp(units[i].name, name, n) == 0)
                        return units[i].sec;
        return 0;
}

/**
 * parse_time_span() - "10min", "2h", "1h 30min", "90" (seconds)
 *
 * Return: 0; -EINVAL; -ERANGE: more than a hundred years.
 */
int parse_time_span(const char *s, uint64_t *ret_usec) {
        uint64_t sec = 0;
        bool any = false;

        assert(s && ret_usec);

        for (;;) {
                uint64_t number = 0, unit;
                size_t n;

                s += strspn(s, " ");
                if (*s == '\0')
                        break;
                n = strspn(s, "0123456789");
                if (n == 0)
                        return -EINVAL;
                if (n > 10)
                        return -ERANGE;
                for (; n > 0; n--)
                        number = number * 10 + (uint64_t) (*s++ - '0');
                s += strspn(s, " ");
                n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
                unit = n == 0 && *s == '\0' && !any ? 1 : unit_seconds(s, n);
                if (unit == 0)
                        return -EINVAL;
                s += n;
                sec += number * unit;
                if (sec > SPAN_MAX_SEC)
                        return -ERANGE;
                any = true;
        }
        if (!any)
                return -EINVAL;

        *ret_usec = sec * USEC_PER_SEC;
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
 * @ret_usec: likewise; 0 for "boot": of this boot is all that is known
 *
 * Return: 0; -EINVAL; -ERANGE: before the clock begins.
 */
int parse_since(const char *s, uint64_t now_usec, uint64_t *ret_usec) {
        uint64_t span;
        int r;

        assert(s && ret_usec);

        if (streq(s, "boot")) {
                *ret_usec = 0;
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
