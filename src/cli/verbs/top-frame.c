/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TopFrame: see top-frame.h. Prints lines of plain text; who shows them makes them fit. */

#include "cli/verbs/top-frame.h"

#include <assert.h>
#include <inttypes.h>

#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "common/base/clock.h"

#define NAME_WIDTH 22                   /* of modules; a longer one moves the rest to the right */
#define TIME_WIDTH 12

void top_frame_clear(TopFrame *t) {
        assert(t);

        sd_json_variant_unref(t->status);
        sd_json_variant_unref(t->before);
        for (size_t i = 0; i < t->n_slowest; i++)
                sd_json_variant_unref(t->slowest[i]);
        for (size_t i = 0; i < t->n_refusals; i++)
                sd_json_variant_unref(t->refusals[i]);
        *t = (TopFrame) {};
}

/* @status: a reference is taken; NULL: lkmd has not answered, what is known stays */
void top_frame_set_status(TopFrame *t, sd_json_variant *status) {
        assert(t);

        t->silent = !status;
        if (!status)
                return;
        sd_json_variant_unref(t->before);
        t->before = t->status;
        t->before_usec = t->status_usec;
        t->status = sd_json_variant_ref(status);
        t->status_usec = clock_usec(CLOCK_MONOTONIC);
}

/* Puts an item into a list in which it has its place, and drops the last if there is no room. */
static void insert(sd_json_variant **items, size_t *n, size_t max, size_t at, sd_json_variant *item) {
        if (at >= max)
                return;
        if (*n == max)
                sd_json_variant_unref(items[--*n]);
        memmove(items + at + 1, items + at, (*n - at) * sizeof(*items));
        items[at] = sd_json_variant_ref(item);
        ++*n;
}

static void take_record(TopFrame *t, sd_json_variant *record) {
        uint64_t duration = field_number(record, "durationUSec");
        size_t at = 0;

        if (!streq_ptr(field_string(record, "outcome"), "loaded") || duration == 0)
                return;
        while (at < t->n_slowest && field_number(t->slowest[at], "durationUSec") >= duration)
                at++;
        insert(t->slowest, &t->n_slowest, TOP_SLOWEST_MAX, at, record);
}

void top_frame_take_history(TopFrame *t, const History *history) {
        assert(t && history);

        for (size_t i = 0; i < history->n_entries; i++)
                take_record(t, history_record(history, i));
}

/* @event: of Monitor; NULL: none */
void top_frame_take_event(TopFrame *t, sd_json_variant *event) {
        const char *kind = field_string(event, "kind");

        assert(t);

        if (streq_ptr(kind, "finished"))
                take_record(t, field_object(event, "record"));
        else if (streq_ptr(kind, "verdict") && field_object(event, "omission"))
                insert(t->refusals, &t->n_refusals, TOP_REFUSALS_MAX, 0, event);
}

/* --------------------------------------------------------------------------------------------------- text */

static uint64_t counter(sd_json_variant *status, const char *name) {
        return field_number(field_object(status, "counters"), name);
}

/* "12.5 events/s"; before there is a rate, how many there have been */
static void print_rate(const TopFrame *t, FILE *f, const char *name, const char *words) {
        uint64_t now = counter(t->status, name), before = counter(t->before, name);
        double seconds = (double) (t->status_usec - t->before_usec) / 1e6;

        if (!t->before || seconds <= 0 || now < before)
                (void) fprintf(f, "%" PRIu64 " %s", now, words);
        else
                (void) fprintf(f, "%.1f %s/s", (double) (now - before) / seconds, words);
}

static void print_head(const TopFrame *t, const Output *out, FILE *f) {
        uint64_t now = clock_usec(CLOCK_REALTIME), started;

        (void) fputs("lkmd ", f);
        print_escaped(f, field_string(t->status, "version"));
        if (out->host) {
                (void) fputs(" on ", f);
                print_escaped(f, out->host);
        }
        if (field_unsigned(t->status, "startedUSec", &started) && started <= now) {
                (void) fputs(", up for ", f);
                print_duration(f, now - started);
        }
        (void) fputs(", ", f);
        print_date(f, now);
        (void) fputs(t->silent ? "  NO ANSWER, the rest is old\n" : "\n", f);
        print_rate(t, f, "events", "events");
        (void) fputs("  ", f);
        print_rate(t, f, "requests", "requests");
        (void) fputs("  ", f);
        print_rate(t, f, "loads", "loads");
        (void) fprintf(f, "  %" PRIu64 " queued  %zu under way\n", field_number(t->status, "queued"),
                       field_elements(t->status, "running"));
        (void) fprintf(f,
                       "in all: %" PRIu64 " failed  %" PRIu64 " denied  %" PRIu64
                       " refused in the kernel  %" PRIu64 " slow  %" PRIu64 " times events lost\n",
                       counter(t->status, "failures"), counter(t->status, "denied"),
                       counter(t->status, "gateRefused"), counter(t->status, "slow"),
                       counter(t->status, "lost"));
}

static void print_title(FILE *f, const char *what, const char *time, const char *rest) {
        (void) fprintf(f, "\n%-*s  %*s  %s\n", NAME_WIDTH, what, TIME_WIDTH, time, rest);
}

/* A cell of text that another function prints. */
static void print_time_cell(FILE *f, uint64_t usec) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fclosep) FILE *cell = NULL;
        size_t size;

        cell = open_memstream(&text, &size);
        if (!cell)
                return;
        print_duration(cell, usec);
        if (fflush(cell) == 0)
                (void) fprintf(f, "  %*s  ", TIME_WIDTH, text);
}

static void print_name(FILE *f, const char *name) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(fclosep) FILE *cell = NULL;
        size_t size;

        cell = open_memstream(&text, &size);
        if (!cell)
                return;
        print_escaped(cell, name);
        if (fflush(cell) == 0)
                (void) fprintf(f, "%-*s", NAME_WIDTH, text);
}

/* The time so far. The clock of another machine is another one. */
static uint64_t time_so_far(const TopFrame *t, const Output *out, sd_json_variant *record) {
        uint64_t duration = field_number(record, "durationUSec"), began;

        if (out->host || !field_unsigned(record, "beganUSec", &began) || began > t->status_usec)
                return duration;
        return MAX(duration, t->status_usec - began);
}

static void print_running(const TopFrame *t, const Output *out, FILE *f) {
        sd_json_variant *running = field_array(t->status, "running");

        if (field_elements(t->status, "running") == 0)
                return;
        print_title(f, "UNDER WAY", "FOR", "WHO");
        ARRAY_FOREACH_INDEX(running, i) {
                sd_json_variant *record = sd_json_variant_by_index(running, i);

                print_name(f, field_string(record, "module"));
                print_time_cell(f, time_so_far(t, out, record));
                print_record_requester_short(f, record);
                print_whereabouts(f, record);
                (void) fputc('\n', f);
        }
}

static void print_slowest(const TopFrame *t, FILE *f) {
        if (t->n_slowest == 0)
                return;
        print_title(f, "SLOWEST OF THIS BOOT", "TOOK", "WHO");
        for (size_t i = 0; i < t->n_slowest; i++) {
                print_name(f, field_string(t->slowest[i], "module"));
                print_time_cell(f, field_number(t->slowest[i], "durationUSec"));
                print_record_requester_short(f, t->slowest[i]);
                (void) fputc('\n', f);
        }
}

static void print_failures(const TopFrame *t, FILE *f) {
        sd_json_variant *failures = field_array(t->status, "failures");
        uint64_t now = clock_usec(CLOCK_REALTIME);

        if (field_elements(t->status, "failures") == 0)
                return;
        print_title(f, "FAILED", "AGO", "WHY");
        ARRAY_FOREACH_INDEX(failures, i) {
                sd_json_variant *record = sd_json_variant_by_index(failures, i);
                uint64_t time = field_number(record, "timeUSec");

                print_name(f, field_string(record, "module"));
                print_time_cell(f, now - MIN(time, now));
                print_escaped(f, field_string(record, "message"));
                (void) fputc('\n', f);
        }
}

static void print_refusals(const TopFrame *t, FILE *f) {
        uint64_t now = clock_usec(CLOCK_REALTIME);

        if (t->n_refusals == 0)
                return;
        print_title(f, "LEFT OUT", "AGO", "WHY");
        for (size_t i = 0; i < t->n_refusals; i++) {
                sd_json_variant *omission = field_object(t->refusals[i], "omission");
                uint64_t time = field_number(t->refusals[i], "timeUSec");

                print_name(f, field_string(omission, "module"));
                print_time_cell(f, now - MIN(time, now));
                print_omission(f, omission);
                (void) fputc('\n', f);
        }
}

void top_frame_print(const TopFrame *t, const Output *out, FILE *f) {
        assert(t && out && f);

        print_head(t, out, f);
        print_running(t, out, f);
        print_failures(t, f);
        print_refusals(t, f);
        print_slowest(t, f);
}

/* The same as one object. Return: 0; what sd-json says. */
int top_frame_to_json(const TopFrame *t, sd_json_variant **ret) {
        static const char *const fields[] = { "version", "startedUSec", "queued",
                                              "running", "failures",    "counters" };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *slowest = NULL;
        int r;

        assert(t && ret);

        r = sd_json_variant_set_field_unsigned(&v, "timeUSec", clock_usec(CLOCK_REALTIME));
        for (size_t i = 0; r >= 0 && i < ARRAY_LEN(fields); i++) {
                sd_json_variant *field = sd_json_variant_by_key(t->status, fields[i]);

                if (field)
                        r = sd_json_variant_set_field(&v, fields[i], field);
        }
        if (r >= 0)
                r = sd_json_variant_new_array(&slowest, (sd_json_variant **) t->slowest, t->n_slowest);
        if (r >= 0)
                r = sd_json_variant_set_field(&v, "slowest", slowest);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(v);
        return 0;
}
