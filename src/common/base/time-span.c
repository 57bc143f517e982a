/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TimeSpan: time spans in settings and arguments. Owns nothing. */

#include "common/base/time-span.h"

#include <assert.h>
#include <ctype.h>

#include "common/base/clock.h"
#include "common/base/number.h"
#include "common/base/util.h"

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)

static const struct {
        const char *name;
        uint64_t usec;
} units[] = {
        { "usec", 1 },           { "us", 1 },
        { "msec", USEC_PER_MSEC }, { "ms", USEC_PER_MSEC },
        { "seconds", USEC_PER_SEC }, { "second", USEC_PER_SEC }, { "sec", USEC_PER_SEC }, { "s", USEC_PER_SEC },
        { "minutes", MINUTE },   { "minute", MINUTE },  { "min", MINUTE },  { "m", MINUTE },
        { "hours", HOUR },       { "hour", HOUR },      { "hr", HOUR },     { "h", HOUR },
        { "days", DAY },         { "day", DAY },        { "d", DAY },
        { "weeks", WEEK },       { "week", WEEK },      { "w", WEEK },
};

/* Return: the unit in microseconds; 0: there is no such unit. */
static uint64_t unit_usec(const char *name, size_t n) {
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
                if (strlen(units[i].name) == n && startswith(name, units[i].name))
                        return units[i].usec;
        return 0;
}

/* ".5" of a unit; what is finer than a microsecond is cut off. */
static uint64_t fraction_usec(const char *digits, uint64_t unit) {
        uint64_t usec = 0, scale = 1;

        for (; isdigit((unsigned char) *digits) && scale < unit; digits++) {
                scale *= 10;
                usec += (uint64_t) (*digits - '0') * unit / scale;
        }
        return usec;
}

/**
 * time_span_take() - parse the part of a time span at the beginning of a text: "10", "1.5s", "500 ms"
 * @text: moved behind it and the blanks that follow, on success
 *
 * Return: 0; -EINVAL; -ERANGE.
 */
int time_span_take(const char **text, TimeSpanPart *ret) {
        TimeSpanPart part = {};
        uint64_t n, unit = USEC_PER_SEC, fraction;
        const char *p, *digits = "";
        size_t length;
        int r;

        assert(text && *text && ret);

        p = *text;
        r = number_take(&p, UINT64_MAX, &n);
        if (r < 0)
                return r;
        if (*p == '.') {
                digits = ++p;
                p += strspn(p, "0123456789");
                if (p == digits)
                        return -EINVAL;
                part.has_fraction = true;
        }
        p += strspn(p, " \t");

        length = strspn(p, "abcdefghijklmnopqrstuvwxyz");
        if (length > 0) {
                unit = unit_usec(p, length);
                if (unit == 0)
                        return -EINVAL;
                part.has_unit = true;
                p += length + strspn(p + length, " \t");
        }

        fraction = fraction_usec(digits, unit);
        if (__builtin_mul_overflow(n, unit, &n) || __builtin_add_overflow(n, fraction, &part.usec))
                return -ERANGE;
        *text = p;
        *ret = part;
        return 0;
}

/**
 * time_span_parse() - a whole time span such as "1h 30min", seconds without a unit
 *
 * Return: 0; -EINVAL: it is none, or nothing, or what UINT64_MAX stands for; -ERANGE.
 */
int time_span_parse(const char *text, uint64_t *ret_usec) {
        uint64_t total = 0;
        TimeSpanPart part;

        assert(text && ret_usec);

        do {
                int r = time_span_take(&text, &part);

                if (r < 0)
                        return r;
                if (__builtin_add_overflow(total, part.usec, &total))
                        return -ERANGE;
        } while (*text != '\0');

        if (total == 0 || total == UINT64_MAX)
                return -EINVAL;
        *ret_usec = total;
        return 0;
}
