/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Format: pure functions between bytes, numbers and what a person reads. Whatever a daemon, a file or an
 * argument contributed goes through print_escaped(), so that it cannot drive the terminal or forge a line of
 * ours.
 */

#include "cli/print/format.h"

#include <assert.h>
#include <inttypes.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/util.h"

#define HOURS_SHOWN_DAYS 14U            /* from then on nobody wants to know the hours */

/**
 * print_escaped() - print a text that comes from elsewhere
 * @s: NULL is printed as "?"
 *
 * Control characters and bytes that are not UTF-8 are printed as \xNN. A backslash stays as it is, since the
 * daemon has already escaped unprintable bytes in the same way.
 */
void print_escaped(FILE *f, const char *s) {
        _cleanup_(freep) char *escaped = NULL;

        assert(f);

        (void) fputs(s && text_escape(s, &escaped) >= 0 ? escaped : "?", f);
}

/* @length bytes of a text, with what begins or ends a tag or an entity of XML as an entity. */
void print_markup(FILE *f, const char *text, size_t length) {
        assert(f && text);

        for (; length > 0; text++, length--)
                switch (*text) {
                case '&':
                        (void) fputs("&amp;", f);
                        break;
                case '<':
                        (void) fputs("&lt;", f);
                        break;
                case '>':
                        (void) fputs("&gt;", f);
                        break;
                default:
                        (void) fputc(*text, f);
                }
}

/* "0.42 ms", "12.3 ms", "4.5 s", "2 min 5 s", "3 h 12 min", "4 d 3 h" */
void print_duration(FILE *f, uint64_t usec) {
        uint64_t sec = usec / USEC_PER_SEC;

        assert(f);

        if (usec < USEC_PER_MSEC)
                (void) fprintf(f, "%.2f ms", (double) usec / 1000.0);
        else if (usec < USEC_PER_SEC)
                (void) fprintf(f, "%.1f ms", (double) usec / 1000.0);
        else if (sec < 60)
                (void) fprintf(f, "%.1f s", (double) usec / 1e6);
        else if (sec < 3600)
                (void) fprintf(f, "%" PRIu64 " min %" PRIu64 " s", sec / 60, sec % 60);
        else if (sec < 86400)
                (void) fprintf(f, "%" PRIu64 " h %" PRIu64 " min", sec / 3600, sec / 60 % 60);
        else
                (void) fprintf(f, "%" PRIu64 " d %" PRIu64 " h", sec / 86400, sec / 3600 % 24);
}

/* "just now", "7 s ago", "3 min ago", "2 h 5 min ago", "4 d 3 h ago", "40 d ago": as exactly as one wants to know */
void print_age(FILE *f, uint64_t usec) {
        uint64_t sec = usec / USEC_PER_SEC;

        assert(f);

        if (sec == 0)
                (void) fputs("just now", f);
        else if (sec < 60)
                (void) fprintf(f, "%" PRIu64 " s ago", sec);
        else if (sec < 3600)
                (void) fprintf(f, "%" PRIu64 " min ago", sec / 60);
        else if (sec >= HOURS_SHOWN_DAYS * 86400)
                (void) fprintf(f, "%" PRIu64 " d ago", sec / 86400);
        else {
                print_duration(f, usec);
                (void) fputs(" ago", f);
        }
}

/* "812B", "4.0K", "364K", "1.2M": powers of 1024 */
void print_size(FILE *f, uint64_t bytes) {
        static const char units[] = "BKMGTPE";
        double value = (double) bytes;
        size_t i = 0;

        assert(f);

        while (value >= 1023.5 && units[i + 1]) {
                value /= 1024.0;
                i++;
        }
        (void) fprintf(f, "%.*f%c", i > 0 && value < 9.95 ? 1 : 0, value, units[i]);
}

static bool local_time(uint64_t realtime_usec, struct tm *ret) {
        time_t t = (time_t) (realtime_usec / USEC_PER_SEC);

        return localtime_r(&t, ret);
}

/* "2026-11-23 12:01:33", local time */
void print_date(FILE *f, uint64_t realtime_usec) {
        char buf[64];
        struct tm tm;

        assert(f);

        if (!local_time(realtime_usec, &tm) || strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm) == 0)
                (void) fputs("?", f);
        else
                (void) fputs(buf, f);
}

/* "2026-11-23 12:01:33 (3 min ago)": for whoever compares it with a clock, and for whoever does not */
void print_moment(FILE *f, uint64_t realtime_usec) {
        uint64_t now = clock_usec(CLOCK_REALTIME);

        print_date(f, realtime_usec);
        if (realtime_usec > now)        /* the clock was put back */
                return;
        (void) fputs(" (", f);
        print_age(f, now - realtime_usec);
        (void) fputc(')', f);
}

/* "12:01:33.456", local time */
void print_time(FILE *f, uint64_t realtime_usec) {
        struct tm tm;

        assert(f);

        if (!local_time(realtime_usec, &tm))
                (void) fputs("?", f);
        else
                (void) fprintf(f, "%02d:%02d:%02d.%03" PRIu64, tm.tm_hour, tm.tm_min, tm.tm_sec,
                               realtime_usec % USEC_PER_SEC / USEC_PER_MSEC);
}
