/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ledger: the bounded history of everything that was done to modules. A record goes in before the system
 * call and gets its outcome afterwards, so that no module moves without a cause, also when lkmd dies in
 * between.
 *
 * Owns a ring of records and their file, one JSON object a line: {"id":7,"gone":false,"record":{..}} is
 * written when it begins and again when it ends, {"gone":"NAME"} when the kernel said that a module left.
 * The file lies in /run, and so lives as long as what it speaks of. A file that cannot be written costs the
 * history after a restart, nothing else.
 */

#include "daemon/ledger.h"

#include <assert.h>
#include <systemd/sd-json.h>

#include "daemon/clock.h"
#include "daemon/describe.h"
#include "daemon/log.h"
#include "daemon/module-state.h"
#include "daemon/state-file.h"

struct Ledger {
        Record **ring;
        size_t capacity;
        size_t first, n_records;        /* oldest is ring[first] */
        uint64_t last_id;
        char *path;                     /* NULL: no file */
        FILE *file;
        size_t n_lines;
        bool file_failed;               /* said once */
};

static Record **ledger_slot(const Ledger *l, size_t i) { /* 0: oldest */
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

static void ledger_complain(Ledger *l, int error) {
        if (!l->file_failed)
                log_warning("%s: %s; what is done from now on will be forgotten at a restart", l->path,
                            strerror(-error));
        l->file_failed = true;
}

static int write_line(FILE *f, sd_json_variant *v) {
        int r;

        r = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, f, NULL);
        if (r < 0)
                return r;
        return fflush(f) == 0 ? 0 : -errno;
}

static int write_record(FILE *f, const Record *record) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *line = NULL;
        int r;

        r = describe_record(record, &v);
        if (r < 0)
                return r;
        r = sd_json_buildo(&line,
                           SD_JSON_BUILD_PAIR_UNSIGNED("id", record->id),
                           SD_JSON_BUILD_PAIR_BOOLEAN("gone", record->gone),
                           SD_JSON_BUILD_PAIR_VARIANT("record", v));
        if (r < 0)
                return r;
        return write_line(f, line);
}

/* Writes the file anew from what is in memory, beside the old one, and puts it in its place. */
static int ledger_rewrite(Ledger *l) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *temporary = NULL;
        int r;

        if (!l->path)
                return 0;
        if (asprintf(&temporary, "%s.new", l->path) < 0) {
                temporary = NULL;
                return -ENOMEM;
        }

        r = state_file_open(temporary, &f);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->n_records; i++) {
                r = write_record(f, *ledger_slot(l, i));
                if (r < 0)
                        return r;
        }
        if (rename(temporary, l->path) < 0)
                return -errno;

        fclosep(&l->file);
        l->file = STEAL_PTR(f);
        l->n_lines = l->n_records;
        return 0;
}

static void ledger_write(Ledger *l, const Record *record) {
        int r;

        if (!l->path)
                return;

        if (l->n_lines > 4 * l->capacity + 64 || !l->file)
                r = ledger_rewrite(l); /* has the record as well */
        else {
                r = write_record(l->file, record);
                l->n_lines++;
        }
        if (r < 0)
                ledger_complain(l, r);
}

static Record *ledger_find_id(const Ledger *l, uint64_t id) {
        for (size_t i = l->n_records; i > 0; i--)
                if ((*ledger_slot(l, i - 1))->id == id)
                        return *ledger_slot(l, i - 1);
        return NULL;
}

/*
 * What came in has left. A load that is under way has not come in yet, unless it is live: it is an earlier one that
 * left, and the kernel's word of it may be read when the next load has begun.
 */
static void forget_module(Ledger *l, const char *module) {
        for (size_t i = 0; i < l->n_records; i++) {
                Record *r = *ledger_slot(l, i);

                if (streq(r->module, module) && (r->outcome != OUTCOME_UNDER_WAY || r->live_usec > 0))
                        r->gone = true;
        }
}

static int ledger_read_line(Ledger *l, const char *line) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(record_unrefp) Record *record = NULL;
        sd_json_variant *id, *gone;
        Record *begun;
        int r;

        r = sd_json_parse(line, 0, &v, NULL, NULL);
        if (r < 0)
                return r;

        gone = sd_json_variant_by_key(v, "gone");
        if (gone && sd_json_variant_is_string(gone)) {
                forget_module(l, sd_json_variant_string(gone));
                return 0;
        }

        id = sd_json_variant_by_key(v, "id");
        if (!id || !sd_json_variant_is_unsigned(id) || !sd_json_variant_by_key(v, "record"))
                return -EBADMSG;
        r = record_from_json(sd_json_variant_by_key(v, "record"), &record);
        if (r < 0)
                return r;

        record->id = sd_json_variant_unsigned(id);
        if (record->id == 0 || record->id > INT64_MAX)
                return -EBADMSG;        /* ours begin with 1 and never come near */
        record->gone = gone && sd_json_variant_is_boolean(gone) && sd_json_variant_boolean(gone);
        l->last_id = MAX(l->last_id, record->id);
        begun = ledger_find_id(l, record->id);
        if (begun) {                    /* its end: takes the place of its beginning */
                for (size_t i = 0; i < l->n_records; i++)
                        if (*ledger_slot(l, i) == begun) {
                                record_unref(begun);
                                *ledger_slot(l, i) = STEAL_PTR(record);
                                break;
                        }
        } else
                ledger_push(l, record);
        return 0;
}

/* Begun by an lkmd that is no more: the loader went on, and the kernel knows how it ended. */
static void ledger_settle(Record *r) {
        bool there = module_state_read(r->module) == MODULE_LIVE;

        if (there != r->removal) {
                r->outcome = r->removal ? OUTCOME_UNLOADED : OUTCOME_LOADED;
                return;
        }
        r->outcome = OUTCOME_FAILED;
        r->error = -EINTR;
        r->message = strdup("lkmd was restarted before the outcome was known");
}

/* A last line that was cut off by a crash is left out; so is anything else that is none of ours. */
static void ledger_read(Ledger *l) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *line = NULL;
        size_t size = 0, n_bad = 0;

        f = fopen(l->path, "re");
        if (!f)
                return;

        while (getline(&line, &size, f) > 0)
                if (ledger_read_line(l, line) < 0)
                        n_bad++;
        if (n_bad > 0)
                log_warning("%s: left out %zu lines that are no records", l->path, n_bad);

        for (size_t i = 0; i < l->n_records; i++) {
                Record *r = *ledger_slot(l, i);

                if (r->outcome == OUTCOME_UNDER_WAY)
                        ledger_settle(r);
        }
}

/* --------------------------------------------------------------------------------------------- object */

/**
 * ledger_new() - a ledger with what an earlier lkmd wrote to @file
 * @file:     NULL for none
 * @capacity: records that are kept, at least 1
 *
 * Return: 0 or -ENOMEM; trouble with the file is logged and survived.
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

        if (file) {
                l->path = strdup(file);
                if (!l->path)
                        return -ENOMEM;
                ledger_read(l);
                r = ledger_rewrite(l);
                if (r < 0)
                        ledger_complain(l, r);
        }

        *ret = STEAL_PTR(l);
        return 0;
}

/* Return: NULL. */
Ledger *ledger_free(Ledger *l) {
        if (!l)
                return NULL;

        for (size_t i = 0; i < l->n_records; i++)
                record_unref(*ledger_slot(l, i));
        fclosep(&l->file);
        free(l->ring);
        free(l->path);
        free(l);
        return NULL;
}

/**
 * ledger_set_capacity() - keep more or fewer records from now on; the oldest go first
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
        l->first = 0;
        l->n_records = n;
        return 0;
}

/**
 * ledger_begin() - write a record down before what it speaks of is done
 * @r: a reference is taken; gets its time and its id
 *
 * Return: 0; there is no reason to fail for the ledger's sake.
 */
int ledger_begin(Ledger *l, Record *r) {
        assert(l && r && r->id == 0);

        r->id = ++l->last_id;
        r->time_usec = clock_usec(CLOCK_REALTIME);
        ledger_push(l, r);
        ledger_write(l, r);
        return 0;
}

/*
 * The record has its outcome: stamp it and write it down again. Also for one that was never begun (nothing
 * was done).
 */
void ledger_end(Ledger *l, Record *r) {
        assert(l && r && r->outcome != OUTCOME_UNDER_WAY);

        r->time_usec = clock_usec(CLOCK_REALTIME);
        if (r->id > 0)
                ledger_write(l, r);
}

/* The kernel said that a module left, by lkmd's hand or another's: how it had come in is history. */
void ledger_module_gone(Ledger *l, const char *module) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *line = NULL;
        int r;

        assert(l && module);

        forget_module(l, module);
        if (!l->file)
                return;

        r = sd_json_buildo(&line, SD_JSON_BUILD_PAIR_STRING("gone", module));
        if (r >= 0)
                r = write_line(l->file, line);
        if (r < 0)
                ledger_complain(l, r);
        l->n_lines++;
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

/**
 * ledger_find_load() - how a module that is in the kernel came there
 *
 * Return: the record, borrowed; NULL if it was not through lkmd, or longer ago than the ledger reaches.
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

/**
 * ledger_was_requested() - is a loaded module there for its own sake, not only for another's?
 *
 * Return: true also for a module that lkmd did not load: it is not ours to remove.
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
