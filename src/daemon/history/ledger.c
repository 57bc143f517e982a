/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ledger: the bounded history of everything that was done to modules. A record is added before the system call and
 * gets its outcome afterwards, so that no module moves without a request in the ledger, even if lkmd dies in
 * between.
 *
 * Owns a ring of records and their file, which has one JSON object per line: {"id":7,"gone":false,"record":{..}} is
 * written when the job begins and again when it ends, {"gone":"NAME"} when the kernel reports that a module was
 * removed. The file is in /run, where it lasts as long as the modules stay loaded. If it cannot be written, a
 * restart loses the history; nothing else suffers.
 */

#include "daemon/history/ledger.h"

#include <assert.h>
#include <systemd/sd-json.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"
#include "daemon/base/state-log.h"
#include "daemon/history/record-json.h"

#define ID_MAX (1ULL << 52)             /* JSON numbers are exact up to 2^53 */

struct Ledger {
        Record **ring;
        size_t capacity;
        size_t first, n_records;        /* oldest is ring[first] */
        uint64_t last_id;
        StateLog log;
};

static Record **ledger_slot(const Ledger *l, size_t i) { /* 0: oldest */
        assert(l->capacity > 0);

        return l->ring + (l->first + i) % l->capacity;
}

static void ledger_push(Ledger *l, Record *r) {
        if (l->n_records == l->capacity) {
                Record **oldest = ledger_slot(l, 0);

                *oldest = record_unref(*oldest);
                l->first = (l->first + 1) % l->capacity;
                l->n_records--;
        }
        *ledger_slot(l, l->n_records++) = record_ref(r);
}

/* ------------------------------------------------------------------------------------------------ file */

static int record_to_line(const Record *record, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        r = describe_record(record, &v);
        if (r < 0)
                return r;
        return sd_json_buildo(ret,
                              SD_JSON_BUILD_PAIR_UNSIGNED("id", record->id),
                              SD_JSON_BUILD_PAIR_BOOLEAN("gone", record->gone),
                              SD_JSON_BUILD_PAIR_VARIANT("record", v));
}

static size_t count_lines(void *userdata) {
        const Ledger *l = userdata;

        return l->n_records;
}

static int format_line(size_t i, sd_json_variant **ret, void *userdata) {
        return record_to_line(*ledger_slot(userdata, i), ret);
}

static size_t lines_max(size_t capacity) {
        return 4 * capacity + 64;
}

static void ledger_write(Ledger *l, const Record *record) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *line = NULL;
        int r;

        if (!l->log.path)
                return;
        r = record_to_line(record, &line);
        if (r < 0)
                log_warning("%s: cannot write down what is done to %s: %s", l->log.path, record->module, strerror(-r));
        else
                state_log_append(&l->log, line);
}

/*
 * The module was removed. A load that is under way and not live is not meant: the uevent of the removal may be read
 * after the next load has begun.
 */
static void forget_module(Ledger *l, const char *module) {
        for (size_t i = 0; i < l->n_records; i++) {
                Record *r = *ledger_slot(l, i);

                if (streq(r->module, module) && (r->outcome != OUTCOME_UNDER_WAY || r->live_usec > 0))
                        r->gone = true;
        }
}

/* A line with the outcome replaces the earlier line with the same ID. */
static void take_record(Ledger *l, Record *record) {
        for (size_t i = l->n_records; i > 0; i--) {
                Record **slot = ledger_slot(l, i - 1);

                if ((*slot)->id == record->id) {
                        record_unref(*slot);
                        *slot = record_ref(record);
                        return;
                }
        }
        ledger_push(l, record);
}

static int take_line(sd_json_variant *v, void *userdata) {
        _cleanup_(record_unrefp) Record *record = NULL;
        Ledger *l = userdata;
        sd_json_variant *id = sd_json_variant_by_key(v, "id"), *gone = sd_json_variant_by_key(v, "gone");
        int r;

        if (gone && sd_json_variant_is_string(gone)) {
                forget_module(l, sd_json_variant_string(gone));
                return 0;
        }
        if (!id || !sd_json_variant_is_unsigned(id) || !sd_json_variant_by_key(v, "record"))
                return -EBADMSG;
        if (gone && !sd_json_variant_is_boolean(gone))
                return -EBADMSG;
        r = record_from_json(sd_json_variant_by_key(v, "record"), &record);
        if (r < 0)
                return r;

        record->id = sd_json_variant_unsigned(id);
        if (record->id == 0 || record->id > ID_MAX)
                return -EBADMSG;        /* lkmd counts from 1 and never gets there */
        record->gone = gone && sd_json_variant_boolean(gone);
        l->last_id = MAX(l->last_id, record->id);
        take_record(l, record);
        return 0;
}

/* For a file with huge IDs, which lkmd did not write: later IDs have to stay below ID_MAX. */
static void renumber(Ledger *l) {
        if (l->last_id <= ID_MAX / 2)
                return;
        for (size_t i = 0; i < l->n_records; i++)
                (*ledger_slot(l, i))->id = i + 1;
        l->last_id = l->n_records;
}

/* A job that an earlier lkmd began: the loader finished it, and the state of the module shows the outcome. */
static void ledger_settle(Record *r) {
        bool there = module_state_read(r->module) == MODULE_LIVE;

        free(r->message);
        r->message = NULL;
        r->error = 0;
        if (there != r->removal) {
                r->outcome = r->removal ? OUTCOME_UNLOADED : OUTCOME_LOADED;
                return;
        }
        r->outcome = OUTCOME_FAILED;
        r->error = -EINTR;
        r->message = strdup("lkmd was restarted before the outcome was known");
}

static void settle_all(Ledger *l) {
        for (size_t i = 0; i < l->n_records; i++) {
                Record *r = *ledger_slot(l, i);

                if (r->outcome == OUTCOME_UNDER_WAY)
                        ledger_settle(r);
        }
}

/* --------------------------------------------------------------------------------------------- object */

/**
 * ledger_new() - a ledger that continues what an earlier lkmd wrote to @file
 * @file:     NULL for none
 * @capacity: records that are kept, at least 1
 *
 * Return: 0 or -ENOMEM; errors of the file are logged and otherwise ignored.
 */
int ledger_new(Ledger **ret, const char *file, size_t capacity) {
        _cleanup_(ledger_freep) Ledger *l = NULL;
        int r;

        assert(ret && capacity > 0);

        l = calloc(1, sizeof(*l));
        if (!l)
                return -ENOMEM;
        l->capacity = capacity;
        l->ring = calloc(capacity, sizeof(*l->ring));
        if (!l->ring)
                return -ENOMEM;

        l->log = (StateLog) {
                .count = count_lines,
                .format = format_line,
                .take = take_line,
                .userdata = l,
                .lines_max = lines_max(capacity),
                .loss = "what is done from now on will be forgotten at a restart",
        };
        r = state_log_open(&l->log, file, LEDGER_FILE_MAX);
        if (r < 0)
                return r;
        settle_all(l);
        renumber(l);
        state_log_rewrite(&l->log);

        *ret = STEAL_PTR(l);
        return 0;
}

/* Return: NULL. */
Ledger *ledger_free(Ledger *l) {
        if (!l)
                return NULL;

        state_log_close(&l->log);
        for (size_t i = 0; i < l->n_records; i++)
                record_unref(*ledger_slot(l, i));
        free(l->ring);
        free(l);
        return NULL;
}

/**
 * ledger_set_capacity() - keep more or fewer records from now on; the oldest are dropped first
 *
 * Return: 0 or -ENOMEM with nothing changed.
 */
int ledger_set_capacity(Ledger *l, size_t capacity) {
        Record **ring;
        size_t n, drop;

        assert(l && capacity > 0);

        if (capacity == l->capacity)
                return 0;
        ring = calloc(capacity, sizeof(*ring));
        if (!ring)
                return -ENOMEM;

        n = MIN(l->n_records, capacity);
        drop = l->n_records - n;
        for (size_t i = 0; i < drop; i++)
                record_unref(*ledger_slot(l, i));
        for (size_t i = 0; i < n; i++)
                ring[i] = *ledger_slot(l, drop + i);

        free(l->ring);
        l->ring = ring;
        l->capacity = capacity;
        l->log.lines_max = lines_max(capacity);
        l->first = 0;
        l->n_records = n;
        return 0;
}

/**
 * ledger_begin() - add a record, before anything is done to the module
 * @r: a reference is taken; gets its time and its id
 *
 * Return: 0; trouble with the ledger stops no job.
 */
int ledger_begin(Ledger *l, Record *r) {
        assert(l && r && r->id == 0);

        r->id = ++l->last_id;
        r->time_usec = clock_usec(CLOCK_REALTIME);
        /* what lkmd only saw has its outcome already, and nobody knows when it began */
        *(r->outcome == OUTCOME_UNDER_WAY ? &r->began_usec : &r->ended_usec) = clock_usec(CLOCK_MONOTONIC);
        ledger_push(l, r);
        ledger_write(l, r);
        return 0;
}

/*
 * The record has its outcome: set its time and write it again. Also for a record that was never begun, since nothing
 * was done.
 */
void ledger_end(Ledger *l, Record *r) {
        assert(l && r && r->outcome != OUTCOME_UNDER_WAY);

        r->time_usec = clock_usec(CLOCK_REALTIME);
        r->ended_usec = clock_usec(CLOCK_MONOTONIC);
        if (r->id > 0)
                ledger_write(l, r);
}

/* The kernel reports that a module was removed, by lkmd or otherwise: its records do not apply any more. */
void ledger_module_gone(Ledger *l, const char *module) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *line = NULL;
        int r;

        assert(l && module);

        forget_module(l, module);
        r = sd_json_buildo(&line, SD_JSON_BUILD_PAIR_STRING("gone", module));
        if (r < 0)
                log_warning("cannot write down that %s left: %s", module, strerror(-r));
        else
                state_log_append(&l->log, line);
}

size_t ledger_count(const Ledger *l) {
        assert(l);

        return l->n_records;
}

/* The @i-th newest record, borrowed. */
Record *ledger_get(const Ledger *l, size_t i) {
        assert(l && i < l->n_records);

        return *ledger_slot(l, l->n_records - 1 - i);
}

/* Were there no more than those that it has, in this boot? */
bool ledger_is_complete(const Ledger *l) {
        assert(l);

        return l->n_records == 0 ? l->last_id == 0 : (*ledger_slot(l, 0))->id == 1;
}

/**
 * ledger_find_load() - the load of a module that is in the kernel
 *
 * Return: the record, borrowed; NULL if lkmd did not load it, or the record was dropped.
 */
Record *ledger_find_load(const Ledger *l, const char *module) {
        assert(l && module);

        for (size_t i = 0; i < l->n_records; i++) {
                Record *r = ledger_get(l, i);

                if (r->gone || r->removal || !streq(r->module, module))
                        continue;
                if (r->outcome == OUTCOME_LOADED || r->outcome == OUTCOME_COMMAND_RUN)
                        return r;
        }
        return NULL;
}

/* The newest request for a loaded module itself; borrowed, NULL: there was none, or its record was dropped. */
Record *ledger_find_wanted(const Ledger *l, const char *module) {
        assert(l && module);

        for (size_t i = 0; i < l->n_records; i++) {
                Record *r = ledger_get(l, i);

                if (!r->gone && streq(r->module, module) && record_is_wanted(r))
                        return r;
        }
        return NULL;
}

/*
 * Did lkmd load it for the kernel or for a device, or for one that was, and has nobody else asked for it? They ask
 * again when they need it.
 */
bool ledger_is_on_demand(const Ledger *l, const char *module) {
        bool loaded_here = false;

        assert(l && module);

        for (size_t i = 0; i < l->n_records; i++) {
                const Record *r = ledger_get(l, i);
                bool on_demand = r->request->origin == ORIGIN_KERNEL || r->request->origin == ORIGIN_DEVICE;

                if (r->gone || !streq(r->module, module))
                        continue;
                if (record_is_wanted(r) && (!on_demand || r->also_requested))
                        return false;
                if (!r->removal && r->outcome == OUTCOME_LOADED && on_demand)
                        loaded_here = true;
        }
        return loaded_here;
}

/**
 * ledger_was_requested() - was a loaded module requested itself, rather than only needed by another?
 *
 * Return: true also for a module that lkmd did not load, which is not lkmd's to remove.
 */
bool ledger_was_requested(const Ledger *l, const char *module) {
        bool loaded_here = false;

        assert(l && module);

        for (size_t i = 0; i < l->n_records; i++) {
                Record *r = ledger_get(l, i);

                if (r->gone || !streq(r->module, module))
                        continue;
                if (record_is_wanted(r))
                        return true;
                if (!r->removal && r->outcome == OUTCOME_LOADED)
                        loaded_here = true;
        }
        return !loaded_here;
}
