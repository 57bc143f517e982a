/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PolicyTime: points in time in the format of RFC 3339, whatever the time zone of the reader. */

#include "common/policy-files/policy-time.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/util.h"


/* Reads exactly @digits digits, whose value is at most @max, and moves *p behind them. */
static bool take(const char **p, unsigned digits, int min, int max, int *ret) {
        int n = 0;

        for (unsigned i = 0; i < digits; i++, ++*p) {
                if (!isdigit((unsigned char) **p))
                        return false;
                n = n * 10 + (**p - '0');
        }
        *ret = n;
        return n >= min && n <= max;
}

static bool take_byte(const char **p, const char *any_of) {
        if (**p == '\0' || !strchr(any_of, **p))
                return false;
        ++*p;
        return true;
}

static int days_of(int year, int month) {
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        return days[month - 1] + (month == 2 && leap);
}

static bool take_date(const char **p, struct tm *tm) {
        int year, month;

        if (!take(p, 4, 1970, 9999, &year) || !take_byte(p, "-") || !take(p, 2, 1, 12, &month) ||
            !take_byte(p, "-") || !take(p, 2, 1, days_of(year, month), &tm->tm_mday))
                return false;
        tm->tm_year = year - 1900;
        tm->tm_mon = month - 1;
        return true;
}

/* A second 60 is a leap second; it counts as the first second of the next minute. */
static bool take_time(const char **p, struct tm *tm, uint64_t *ret_usec) {
        uint64_t scale = USEC_PER_SEC / 10;

        if (!take(p, 2, 0, 23, &tm->tm_hour) || !take_byte(p, ":") || !take(p, 2, 0, 59, &tm->tm_min) ||
            !take_byte(p, ":") || !take(p, 2, 0, 60, &tm->tm_sec))
                return false;
        *ret_usec = 0;
        if (!take_byte(p, "."))
                return true;
        if (!isdigit((unsigned char) **p))
                return false;
        for (; isdigit((unsigned char) **p); ++*p, scale /= 10)
                *ret_usec += (uint64_t) (**p - '0') * scale;
        return true;
}

static bool take_offset(const char **p, int *ret_sec) {
        int sign, hours, minutes;

        *ret_sec = 0;
        if (take_byte(p, "Zz"))
                return true;
        sign = **p == '-' ? -1 : 1;
        if (!take_byte(p, "+-") || !take(p, 2, 0, 23, &hours) || !take_byte(p, ":") ||
            !take(p, 2, 0, 59, &minutes))
                return false;
        *ret_sec = sign * (hours * 3600 + minutes * 60);
        return true;
}

/**
 * policy_time_parse() - parse a point in time
 * @ret_usec: CLOCK_REALTIME
 * @text:     RFC 3339, section 5.6: "2026-12-31T18:00:00+01:00", with a T or a blank; or a date, which means its
 *            beginning, 00:00 UTC
 *
 * Return: 0; -EINVAL.
 */
int policy_time_parse(uint64_t *ret_usec, const char *text) {
        struct tm tm = {};
        uint64_t usec = 0;
        int offset = 0;
        time_t t;

        assert(ret_usec && text);

        if (!take_date(&text, &tm))
                return -EINVAL;
        if (*text != '\0' &&
            (!take_byte(&text, "Tt ") || !take_time(&text, &tm, &usec) || !take_offset(&text, &offset)))
                return -EINVAL;
        if (*text != '\0')
                return -EINVAL;

        t = timegm(&tm) - offset;
        if (t < 0)
                return -EINVAL;
        *ret_usec = (uint64_t) t * USEC_PER_SEC + usec;
        return 0;
}
