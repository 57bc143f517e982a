/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Audit: a bounded table of what the policy did to requests. Events that agree in module, rule and requester are
 * one entry with a count. When the table is full, the entry that was updated least recently is dropped.
 *
 * Owns the entries and their file, in which each line is a varlink AuditEntry in JSON: one when an entry is new,
 * and another each time its count has doubled, so that a storm costs nothing and a crash loses less than half of
 * a count. The counts in the file are exact after a clean stop. If the file cannot be written, a restart loses
 * the audit; nothing else suffers.
 */

#include "daemon/history/audit.h"

#include <assert.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/enum-names.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/plan/plan-json.h"
#include "daemon/base/json-read.h"
#include "daemon/base/log.h"
#include "daemon/base/state-log.h"
#include "daemon/history/record-json.h"

#define LINES_MAX (4U * AUDIT_ENTRIES_MAX) /* then the file is rewritten */
#define COUNT_MAX (1ULL << 52)          /* JSON numbers are exact up to 2^53 */

typedef struct AuditEntry {
        AuditKind kind;
        char *module;
        PlanRuling ruling;
        RequestOrigin origin;
        char *key, *device;             /* escaped for JSON; device may be NULL */
        bool has_uid;
        uid_t uid;
        uint64_t count, first_usec, last_usec;
} AuditEntry;

struct Audit {
        AuditEntry *entries;
        size_t n_entries;
        uint64_t n_dropped;
        sd_json_variant *described;     /* cached reply; NULL: not asked for since the last change */
        StateLog log;
};

static const char *const kind_names[_AUDIT_KIND_MAX] = {
        [AUDIT_REFUSED] = "refused",
        [AUDIT_WOULD_REFUSE] = "would_refuse",
        [AUDIT_REPORTED] = "reported",
};

const char *audit_kind_to_string(AuditKind kind) {
        return ENUM_NAME(kind_names, kind);
}

static AuditKind kind_from_string(const char *s) {
        return (AuditKind) ENUM_VALUE(kind_names, s);
}

static void entry_clear(AuditEntry *e) {
        free(e->module);
        plan_ruling_clear(&e->ruling);
        free(e->key);
        free(e->device);
        *e = (AuditEntry) {};
}

/* ---------------------------------------------------------------------------------------------------- JSON */

static int entry_to_json(const AuditEntry *e, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *more = NULL;
        int r;

        r = plan_ruling_to_json(&e->ruling, &v);
        if (r < 0)
                return r;
        r = sd_json_buildo(
                &more, SD_JSON_BUILD_PAIR_STRING("kind", kind_names[e->kind]),
                SD_JSON_BUILD_PAIR_STRING("module", e->module),
                SD_JSON_BUILD_PAIR_STRING("origin", request_origin_to_string(e->origin)),
                SD_JSON_BUILD_PAIR_STRING("key", e->key),
                SD_JSON_BUILD_PAIR_CONDITION(e->device != NULL, "device", SD_JSON_BUILD_STRING(e->device)),
                SD_JSON_BUILD_PAIR_CONDITION(e->has_uid, "uid", SD_JSON_BUILD_UNSIGNED(e->uid)),
                SD_JSON_BUILD_PAIR_UNSIGNED("count", e->count),
                SD_JSON_BUILD_PAIR_UNSIGNED("firstUSec", e->first_usec),
                SD_JSON_BUILD_PAIR_UNSIGNED("lastUSec", e->last_usec));
        if (r < 0)
                return r;
        r = sd_json_variant_merge_object(&more, v);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(more);
        return 0;
}

/* Return: 0; -EBADMSG: not an entry that lkmd writes; -ENOMEM. */
static int entry_read(sd_json_variant *v, AuditEntry *e) {
        _cleanup_(freep) char *kind = NULL, *origin = NULL;
        uint64_t uid;
        int r;

        if ((r = json_read_text(v, "kind", &kind)) < 0 || (r = json_read_text(v, "origin", &origin)) < 0 ||
            (r = json_read_text(v, "module", &e->module)) < 0 || (r = json_read_text(v, "key", &e->key)) < 0 ||
            (r = json_read_text(v, "device", &e->device)) < 0 ||
            (r = json_read_number(v, "uid", JSON_UID_MAX, &uid)) < 0 ||
            (r = json_read_number(v, "count", COUNT_MAX, &e->count)) < 0 ||
            (r = json_read_number(v, "firstUSec", JSON_USEC_MAX, &e->first_usec)) < 0 ||
            (r = json_read_number(v, "lastUSec", JSON_USEC_MAX, &e->last_usec)) < 0 ||
            (r = plan_ruling_from_json(v, &e->ruling)) < 0)
                return r;
        e->kind = kind_from_string(kind);
        e->origin = request_origin_from_string(origin);
        e->has_uid = sd_json_variant_by_key(v, "uid") != NULL;
        e->uid = (uid_t) uid;
        return e->kind < 0 || e->origin < 0 || !e->module || !e->key || e->count == 0 ? -EBADMSG : 0;
}

/* --------------------------------------------------------------------------------------------------- table */

static bool rulings_equal(const PlanRuling *a, const PlanRuling *b) {
        return a->source == b->source && a->line == b->line && a->column == b->column &&
               streq_ptr(a->file, b->file) && streq_ptr(a->rule, b->rule);
}

static bool entries_equal(const AuditEntry *a, const AuditEntry *b) {
        return a->kind == b->kind && a->origin == b->origin && a->has_uid == b->has_uid &&
               a->uid == b->uid && streq(a->module, b->module) && streq(a->key, b->key) &&
               streq_ptr(a->device, b->device) && rulings_equal(&a->ruling, &b->ruling);
}

static AuditEntry *find_entry(const Audit *a, const AuditEntry *like) {
        for (size_t i = 0; i < a->n_entries; i++)
                if (entries_equal(a->entries + i, like))
                        return a->entries + i;
        return NULL;
}

/* Takes what is in @e. */
static AuditEntry *add_entry(Audit *a, AuditEntry *e) {
        AuditEntry *place = a->entries;

        if (a->n_entries < AUDIT_ENTRIES_MAX)
                place = a->entries + a->n_entries++;
        else {
                for (size_t i = 1; i < a->n_entries; i++)
                        if (a->entries[i].last_usec < place->last_usec)
                                place = a->entries + i;
                entry_clear(place);
                a->n_dropped++;
        }
        *place = *e;
        *e = (AuditEntry) {};
        return place;
}

/* ---------------------------------------------------------------------------------------------------- file */

static size_t count_lines(void *userdata) {
        return audit_count(userdata);
}

static int format_line(size_t i, sd_json_variant **ret, void *userdata) {
        const Audit *a = userdata;

        return entry_to_json(a->entries + i, ret);
}

static void audit_write(Audit *a, const AuditEntry *e) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        if (!a->log.path)
                return;
        r = entry_to_json(e, &v);
        if (r < 0)
                log_warning("%s: cannot write down what the policy did to %s: %s", a->log.path, e->module, strerror(-r));
        else
                state_log_append(&a->log, v);
}

/* If several lines are about one entry, the last one holds. */
static int take_line(sd_json_variant *v, void *userdata) {
        AuditEntry e = {}, *known;
        Audit *a = userdata;
        int r;

        r = entry_read(v, &e);
        if (r < 0) {
                entry_clear(&e);
                return r;
        }
        known = find_entry(a, &e);
        if (known) {
                entry_clear(known);
                *known = e;
        } else
                (void) add_entry(a, &e);
        return 0;
}

/* -------------------------------------------------------------------------------------------------- object */

/**
 * audit_new() - an audit that continues what an earlier lkmd wrote to @file
 * @file: NULL for none
 *
 * Return: 0 or -ENOMEM; errors of the file are logged and otherwise ignored.
 */
int audit_new(Audit **ret, const char *file) {
        _cleanup_(audit_freep) Audit *a = NULL;
        int r;

        assert(ret);

        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->entries = calloc(AUDIT_ENTRIES_MAX, sizeof(*a->entries));
        if (!a->entries)
                return -ENOMEM;
        a->log = (StateLog) {
                .count = count_lines,
                .format = format_line,
                .take = take_line,
                .userdata = a,
                .lines_max = LINES_MAX,
                .loss = "what the policy does from now on will be forgotten at a restart",
        };
        r = state_log_open(&a->log, file, AUDIT_FILE_MAX);
        if (r < 0)
                return r;
        state_log_rewrite(&a->log);

        *ret = STEAL_PTR(a);
        return 0;
}

/* Return: NULL. Writes the exact counts to the file. */
Audit *audit_free(Audit *a) {
        if (!a)
                return NULL;

        state_log_rewrite(&a->log);
        state_log_close(&a->log);
        for (size_t i = 0; a->entries && i < a->n_entries; i++)
                entry_clear(a->entries + i);
        free(a->entries);
        sd_json_variant_unref(a->described);
        free(a);
        return NULL;
}

static int entry_make(AuditEntry *ret, AuditKind kind, const char *module, const PlanRuling *ruling,
                      const Request *request) {
        AuditEntry e = {
                .kind = kind,
                .origin = request->origin,
                .has_uid = request->has_peer,
                .uid = request->has_peer ? request->uid : 0,
        };
        int r;

        r = text_escape(module, &e.module);
        if (r >= 0)
                r = text_escape(request->key, &e.key);
        if (r >= 0 && request->device)
                r = text_escape(request->device, &e.device);
        if (r >= 0)
                r = plan_ruling_copy(&e.ruling, ruling);
        if (r < 0) {
                entry_clear(&e);
                return r;
        }
        *ret = e;
        return 0;
}

/* Count what the policy did to a module of a request. A failure is logged. */
void audit_note(Audit *a, AuditKind kind, const char *module, const PlanRuling *ruling,
                const Request *request) {
        AuditEntry e, *entry;
        int r;

        assert(a && kind >= 0 && kind < _AUDIT_KIND_MAX && module && ruling && request);

        r = entry_make(&e, kind, module, ruling, request);
        if (r < 0) {
                log_warning("%s: cannot remember what the policy did: %s", module, strerror(-r));
                return;
        }
        a->described = sd_json_variant_unref(a->described);
        entry = find_entry(a, &e);
        if (!entry)
                entry = add_entry(a, &e);
        entry_clear(&e);
        entry->last_usec = clock_usec(CLOCK_REALTIME);
        if (entry->count++ == 0)
                entry->first_usec = entry->last_usec;
        if ((entry->count & (entry->count - 1)) == 0)
                audit_write(a, entry);
}

size_t audit_count(const Audit *a) {
        assert(a);

        return a->n_entries;
}

/* Entries that were dropped because the table was full. */
uint64_t audit_count_dropped(const Audit *a) {
        assert(a);

        return a->n_dropped;
}

static int compare_texts(const char *a, const char *b) {
        return strcmp(a ?: "", b ?: "");
}

static int compare_numbers(uint64_t a, uint64_t b) {
        return (a > b) - (a < b);
}

/* By the place of the rule, then by module; the rest makes the order stable. */
static int compare_entries(const void *a, const void *b) {
        const AuditEntry *x = *(const AuditEntry *const *) a, *y = *(const AuditEntry *const *) b;

        return compare_texts(x->ruling.file, y->ruling.file) ?: compare_numbers(x->ruling.line, y->ruling.line) ?:
               compare_numbers(x->ruling.column, y->ruling.column) ?: strcmp(x->module, y->module) ?:
               compare_numbers(x->kind, y->kind) ?: compare_numbers(x->first_usec, y->first_usec) ?:
               strcmp(x->key, y->key) ?: compare_texts(x->device, y->device);
}

/**
 * audit_describe() - a sorted array of the varlink type AuditEntry
 *
 * It takes a while to build and anybody may ask for it repeatedly, so it is cached until something changes.
 *
 * Return: 0, -ENOMEM or what sd-json says.
 */
int audit_describe(Audit *a, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        _cleanup_(freep) const AuditEntry **sorted = NULL;
        int r;

        assert(a && ret);

        if (a->described) {
                *ret = sd_json_variant_ref(a->described);
                return 0;
        }
        sorted = calloc(a->n_entries + 1, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < a->n_entries; i++)
                sorted[i] = a->entries + i;
        qsort(sorted, a->n_entries, sizeof(*sorted), compare_entries);

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (size_t i = 0; r >= 0 && i < a->n_entries; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = entry_to_json(sorted[i], &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
        }
        if (r < 0)
                return r;

        a->described = sd_json_variant_ref(array);
        *ret = STEAL_PTR(array);
        return 0;
}
