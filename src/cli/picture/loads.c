/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Loads: the history as what happened when, for pictures and lists of a boot. Borrows the records from the history,
 * which has to live longer. Times are taken as they come, but never go backwards within a load, so that no picture has
 * a bar of negative length.
 */

#include "cli/picture/loads.h"

#include <assert.h>

#include "cli/print/fields.h"
#include "cli/print/reply-text.h"
#include "common/base/array.h"
#include "common/base/clock.h"
#include "common/base/util.h"

#define SETTLED_USEC (30 * USEC_PER_SEC) /* without a load, after which what comes is no longer the boot */
#define TIME_MAX (UINT64_C(1) << 53)    /* microseconds: 285 years; what a double still counts one by one */

/* Removals have no reason; what was in the kernel before the request was not loaded by it. */
static bool is_load(sd_json_variant *record) {
        return field_string(record, "module") && field_string(record, "reason") && !record_is_old(record);
}

static uint64_t time_of(sd_json_variant *record, const char *key, uint64_t otherwise) {
        uint64_t usec;

        return field_unsigned(record, key, &usec) ? MIN(usec, TIME_MAX) : otherwise;
}

/* Return: false if it is not known when it was. */
static bool take_times(Load *load, uint64_t now_usec) {
        sd_json_variant *record = load->record;
        uint64_t usec;

        load->ended_usec = time_of(record, "endedUSec", 0);
        load->began_usec = time_of(record, "beganUSec", load->ended_usec);
        load->queued_usec = time_of(record, "queuedUSec", load->began_usec);
        if (load->queued_usec == 0 && load->began_usec == 0)
                return false;

        if (load->fate == LOAD_UNDER_WAY)
                load->ended_usec = MAX(load->began_usec, now_usec);
        load->began_usec = MAX(load->began_usec, load->queued_usec);
        load->ended_usec = MAX(load->ended_usec, load->began_usec);
        load->live_usec = load->ended_usec;
        load->took_usec = time_of(record, "durationUSec", load->ended_usec - load->began_usec);
        load->live_after_usec = load->took_usec;
        if (field_unsigned(record, "liveUSec", &usec)) {
                load->live_after_usec = MIN(usec, load->took_usec);
                load->live_usec = MIN(load->began_usec + load->live_after_usec, load->ended_usec);
        }
        load->seen = record_is_foreign(record) && !sd_json_variant_by_key(record, "queuedUSec");
        return true;
}

static void take_record(Load *load, sd_json_variant *record, bool gone) {
        *load = (Load) {
                .record = record,
                .module = field_string(record, "module"),
                .origin = field_string(field_object(record, "requester"), "origin") ?: "",
                .fate = !field_string(record, "outcome") ? LOAD_UNDER_WAY
                        : record_is_failure(record)      ? LOAD_FAILED
                                                         : LOAD_DONE,
                .slow = field_bool(record, "slow"),
                .gone = gone,
                .parent = NO_LOAD,
        };
}

static int compare_start(const void *a, const void *b) {
        const Load *x = a, *y = b;

        if (x->queued_usec != y->queued_usec)
                return x->queued_usec < y->queued_usec ? -1 : 1;
        if (x->began_usec != y->began_usec)
                return x->began_usec < y->began_usec ? -1 : 1;
        return strcmp(x->module, y->module);
}

/* Leaves out what began when nothing had been loaded for a while. */
static void cut_what_is_later(Loads *loads) {
        uint64_t busy_until_usec = 0;

        for (size_t i = 0; i < loads->n_items; i++) {
                if (i > 0 && loads->items[i].queued_usec > busy_until_usec + SETTLED_USEC) {
                        loads->n_later = loads->n_items - i;
                        loads->n_items = i;
                        return;
                }
                busy_until_usec = MAX(busy_until_usec, loads->items[i].ended_usec);
        }
}

/* Of several loads of the parent, the one that was queued last before this one ended. */
static size_t find_parent(const Loads *loads, const Load *load) {
        const char *parent = field_string(load->record, "parent");
        size_t found = NO_LOAD;

        for (size_t i = 0; parent && i < loads->n_items; i++)
                if (loads->items + i != load && streq(loads->items[i].module, parent) &&
                    (found == NO_LOAD || loads->items[i].queued_usec <= load->ended_usec))
                        found = i;
        return found;
}

/* Now, as far as the history tells more than the caller. */
static uint64_t latest(const History *history, uint64_t now_usec) {
        for (size_t i = 0; i < history->n_entries; i++) {
                sd_json_variant *record = history_record(history, i);

                now_usec = MAX(now_usec, time_of(record, "endedUSec", 0));
                now_usec = MAX(now_usec, time_of(record, "beganUSec", 0));
                if (!field_string(record, "outcome")) /* the time so far */
                        now_usec = MAX(now_usec,
                                       time_of(record, "beganUSec", 0) + time_of(record, "durationUSec", 0));
        }
        return now_usec;
}

/**
 * loads_new() - the loads of a history
 * @history:  borrowed for as long as @ret is used
 * @all:      also what was loaded after the machine had settled
 * @now_usec: CLOCK_MONOTONIC of the machine, to which what is under way has lasted; 0: not known
 * @ret:      cleared by loads_clear()
 *
 * Return: 0; -ENOMEM.
 */
int loads_new(const History *history, bool all, uint64_t now_usec, Loads *ret) {
        Loads loads = { .complete = history->complete };

        assert(history && ret);

        now_usec = latest(history, now_usec);
        loads.items = calloc(history->n_entries + 1, sizeof(*loads.items));
        if (!loads.items)
                return -ENOMEM;
        for (size_t i = 0; i < history->n_entries; i++) {
                sd_json_variant *record = history_record(history, i);
                Load *load = loads.items + loads.n_items;

                if (!is_load(record))
                        continue;
                take_record(load, record, field_bool(history->entries[i], "gone"));
                if (take_times(load, now_usec))
                        loads.n_items++;
                else
                        loads.n_untimed++;
        }

        qsort(loads.items, loads.n_items, sizeof(*loads.items), compare_start);
        if (!all)
                cut_what_is_later(&loads);
        for (size_t i = 0; i < loads.n_items; i++) {
                loads.items[i].parent = find_parent(&loads, loads.items + i);
                loads.end_usec = MAX(loads.end_usec, loads.items[i].ended_usec);
        }
        *ret = loads;
        return 0;
}

void loads_clear(Loads *loads) {
        assert(loads);

        free(loads->items);
        *loads = (Loads) {};
}

/* The latest load of a module; one that succeeded rather than one that failed. NO_LOAD: there is none. */
size_t loads_find(const Loads *loads, const char *module) {
        size_t found = NO_LOAD;

        assert(loads && module);

        for (size_t i = 0; i < loads->n_items; i++)
                if (streq(loads->items[i].module, module) &&
                    (found == NO_LOAD || loads->items[i].fate != LOAD_FAILED ||
                     loads->items[found].fate == LOAD_FAILED))
                        found = i;
        return found;
}

/* The load that was usable last, of those that lkmd did. NO_LOAD: there is none. */
size_t loads_last(const Loads *loads) {
        size_t found = NO_LOAD;

        assert(loads);

        for (size_t i = 0; i < loads->n_items; i++)
                if (loads->items[i].fate == LOAD_DONE && !loads->items[i].seen &&
                    (found == NO_LOAD || loads->items[i].live_usec >= loads->items[found].live_usec))
                        found = i;
        return found;
}

/* Was it in the kernel when lkmd started? Then its time is that of this start. */
bool load_was_there_before(const Load *load) {
        assert(load);

        return load->seen && (streq(load->origin, "boot") || streq(load->origin, "initramfs"));
}

/* What pictures and lists show of a load: its times as they are shown, and the fields of its record that name it. */
int load_to_json(const Load *load, sd_json_variant **ret) {
        const char *outcome = field_string(load->record, "outcome"),
                   *parent = field_string(load->record, "parent");
        bool timed = !load->seen;

        assert(load && ret);

        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("module", load->module),
                SD_JSON_BUILD_PAIR_CONDITION(outcome != NULL, "outcome", SD_JSON_BUILD_STRING(outcome)),
                SD_JSON_BUILD_PAIR_STRING("origin", load->origin),
                SD_JSON_BUILD_PAIR_CONDITION(parent != NULL, "parent", SD_JSON_BUILD_STRING(parent)),
                SD_JSON_BUILD_PAIR_STRING("reason", field_string(load->record, "reason")),
                SD_JSON_BUILD_PAIR_CONDITION(load->slow, "slow", SD_JSON_BUILD_BOOLEAN(true)),
                SD_JSON_BUILD_PAIR_CONDITION(load->gone, "gone", SD_JSON_BUILD_BOOLEAN(true)),
                SD_JSON_BUILD_PAIR_CONDITION(timed, "queuedUSec", SD_JSON_BUILD_UNSIGNED(load->queued_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(timed, "beganUSec", SD_JSON_BUILD_UNSIGNED(load->began_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(timed && load->fate == LOAD_DONE, "usableUSec",
                                             SD_JSON_BUILD_UNSIGNED(load->live_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(load->fate != LOAD_UNDER_WAY, "endedUSec",
                                             SD_JSON_BUILD_UNSIGNED(load->ended_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(timed, "durationUSec", SD_JSON_BUILD_UNSIGNED(load->took_usec)),
                SD_JSON_BUILD_PAIR_CONDITION(timed && load->fate == LOAD_DONE, "liveUSec",
                                             SD_JSON_BUILD_UNSIGNED(load->live_after_usec)),
                SD_JSON_BUILD_PAIR_VARIANT("requester", field_object(load->record, "requester")));
}
