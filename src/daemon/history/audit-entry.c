/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AuditEntry: see audit-entry.h. Owns its texts. */

#include "daemon/history/audit-entry.h"

#include <assert.h>

#include "common/base/enum-names.h"
#include "common/base/text.h"
#include "common/plan/plan-json.h"
#include "daemon/base/json-read.h"
#include "daemon/history/record-json.h"

#define COUNT_MAX (1ULL << 52)          /* JSON numbers are exact up to 2^53 */

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

void audit_entry_clear(AuditEntry *e) {
        assert(e);

        free(e->module);
        plan_ruling_clear(&e->ruling);
        free(e->key);
        free(e->device);
        free(e->container);
        audit_entry_forget_process(e);
        *e = (AuditEntry) {};
}

/* All that is left of the process is its user. */
void audit_entry_forget_process(AuditEntry *e) {
        assert(e);

        free(e->command);
        free(e->executable);
        free(e->unit);
        e->command = e->executable = e->unit = NULL;
}

/* NULL stays NULL. */
static int escape_optional(const char *text, char **ret) {
        return text ? text_escape(text, ret) : 0;
}

/**
 * audit_entry_make() - an entry with a count of 0
 *
 * Return: 0 or -ENOMEM.
 */
int audit_entry_make(AuditEntry *ret, AuditKind kind, const char *module, const PlanRuling *ruling,
                     const Request *request) {
        long long uid = request_get_uid(request);
        AuditEntry e = {
                .kind = kind,
                .origin = request->origin,
                .has_uid = uid >= 0,
                .uid = uid >= 0 ? (uid_t) uid : 0,
        };
        int r;

        r = text_escape(module, &e.module);
        if (r >= 0)
                r = text_escape(request->key, &e.key);
        if (r >= 0)
                r = escape_optional(request->device, &e.device);
        if (r >= 0)
                r = escape_optional(request_get_command(request), &e.command);
        if (r >= 0)
                r = escape_optional(request->requester ? request->requester->executable : NULL,
                                    &e.executable);
        if (r >= 0)
                r = escape_optional(request_get_unit(request), &e.unit);
        if (r >= 0)
                r = escape_optional(request->requester ? request->requester->container : NULL, &e.container);
        if (r >= 0)
                r = plan_ruling_copy(&e.ruling, ruling);
        if (r < 0) {
                audit_entry_clear(&e);
                return r;
        }
        *ret = e;
        return 0;
}

/* -------------------------------------------------------------------------------------------- comparison */

static bool rulings_equal(const PlanRuling *a, const PlanRuling *b) {
        return a->source == b->source && a->line == b->line && a->column == b->column &&
               streq_ptr(a->file, b->file) && streq_ptr(a->rule, b->rule);
}

bool audit_entries_equal(const AuditEntry *a, const AuditEntry *b) {
        return audit_entries_similar(a, b) && streq_ptr(a->command, b->command) &&
               streq_ptr(a->executable, b->executable) && streq_ptr(a->unit, b->unit);
}

bool audit_entries_similar(const AuditEntry *a, const AuditEntry *b) {
        return a->kind == b->kind && a->origin == b->origin && a->has_uid == b->has_uid &&
               a->uid == b->uid && streq(a->module, b->module) && streq(a->key, b->key) &&
               streq_ptr(a->device, b->device) && streq_ptr(a->container, b->container) &&
               rulings_equal(&a->ruling, &b->ruling);
}

static int compare_texts(const char *a, const char *b) {
        return strcmp(a ?: "", b ?: "");
}

static int compare_numbers(uint64_t a, uint64_t b) {
        return (a > b) - (a < b);
}

static size_t text_size(const char *s) {
        return s ? strlen(s) : 0;
}

size_t audit_entry_size(const AuditEntry *e) {
        return text_size(e->module) + text_size(e->key) + text_size(e->device) + text_size(e->ruling.file) +
               text_size(e->ruling.rule) + text_size(e->ruling.reason) + text_size(e->command) +
               text_size(e->executable) + text_size(e->unit) + text_size(e->container);
}

uint64_t audit_entry_last_usec(const AuditEntry *e) {
        return MAX(e->now.last_usec, e->earlier.last_usec);
}

/* ------------------------------------------------------------------------------------------------ counts */

static AuditTally sum_up(const AuditTally *a, const AuditTally *b) {
        if (a->count == 0 || b->count == 0)
                return a->count == 0 ? *b : *a;
        return (AuditTally) {
                .count = MIN(a->count + b->count, COUNT_MAX),
                .first_usec = MIN(a->first_usec, b->first_usec),
                .last_usec = MAX(a->last_usec, b->last_usec),
        };
}

static uint64_t first_usec(const AuditEntry *e) {
        return sum_up(&e->now, &e->earlier).first_usec;
}

/* By the place of the rule, then by module; the rest makes the order stable. */
int audit_entries_compare(const AuditEntry *a, const AuditEntry *b) {
        return compare_texts(a->ruling.file, b->ruling.file) ?: compare_numbers(a->ruling.line, b->ruling.line) ?:
               compare_numbers(a->ruling.column, b->ruling.column) ?: strcmp(a->module, b->module) ?:
               compare_numbers(a->kind, b->kind) ?: compare_numbers(first_usec(a), first_usec(b)) ?:
               strcmp(a->key, b->key) ?: compare_texts(a->device, b->device) ?:
               compare_texts(a->command, b->command) ?: compare_texts(a->executable, b->executable) ?:
               compare_texts(a->unit, b->unit) ?: compare_texts(a->container, b->container);
}

/* Adds the counts of an equal entry. */
void audit_entry_add(AuditEntry *e, const AuditEntry *other) {
        assert(e && other);

        e->now = sum_up(&e->now, &other->now);
        e->earlier = sum_up(&e->earlier, &other->earlier);
        e->n_boots = MIN(e->n_boots + other->n_boots, COUNT_MAX);
}

/* Another boot has begun. */
void audit_entry_age(AuditEntry *e) {
        assert(e);

        e->earlier = sum_up(&e->earlier, &e->now);
        if (e->now.count > 0)
                e->n_boots = MIN(e->n_boots + 1, COUNT_MAX);
        e->now = (AuditTally) {};
}

/* -------------------------------------------------------------------------------------------------- JSON */

static int merge_tally(sd_json_variant **v, const AuditTally *t, const char *count, const char *first,
                       const char *last) {
        int r;

        r = sd_json_variant_set_field_unsigned(v, count, t->count);
        if (r >= 0)
                r = sd_json_variant_set_field_unsigned(v, first, t->first_usec);
        return r < 0 ? r : sd_json_variant_set_field_unsigned(v, last, t->last_usec);
}

/* All but the counts. */
static int build_subject(const AuditEntry *e, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL, *ruling = NULL;
        int r;

        r = plan_ruling_to_json(&e->ruling, &ruling);
        if (r < 0)
                return r;
        r = sd_json_buildo(
                &v, SD_JSON_BUILD_PAIR_STRING("kind", kind_names[e->kind]),
                SD_JSON_BUILD_PAIR_STRING("module", e->module),
                SD_JSON_BUILD_PAIR_STRING("origin", request_origin_to_string(e->origin)),
                SD_JSON_BUILD_PAIR_STRING("key", e->key),
                SD_JSON_BUILD_PAIR_CONDITION(e->device != NULL, "device", SD_JSON_BUILD_STRING(e->device)),
                SD_JSON_BUILD_PAIR_CONDITION(e->has_uid, "uid", SD_JSON_BUILD_UNSIGNED(e->uid)),
                SD_JSON_BUILD_PAIR_CONDITION(e->command != NULL, "command", SD_JSON_BUILD_STRING(e->command)),
                SD_JSON_BUILD_PAIR_CONDITION(e->executable != NULL, "executable", SD_JSON_BUILD_STRING(e->executable)),
                SD_JSON_BUILD_PAIR_CONDITION(e->unit != NULL, "unit", SD_JSON_BUILD_STRING(e->unit)),
                SD_JSON_BUILD_PAIR_CONDITION(e->container != NULL, "container",
                                             SD_JSON_BUILD_STRING(e->container)));
        if (r >= 0)
                r = sd_json_variant_merge_object(&v, ruling);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(v);
        return 0;
}

/**
 * audit_entry_describe() - as the varlink type AuditEntry
 * @this_boot: with the counts of this boot only, rather than of all
 *
 * Return: 0, -ENOMEM or what sd-json says.
 */
int audit_entry_describe(const AuditEntry *e, bool this_boot, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        AuditTally tally;
        uint64_t n_boots;
        int r;

        assert(e && ret);

        tally = this_boot ? e->now : sum_up(&e->now, &e->earlier);
        n_boots = (e->now.count > 0) + (this_boot ? 0 : e->n_boots);
        r = build_subject(e, &v);
        if (r >= 0)
                r = merge_tally(&v, &tally, "count", "firstUSec", "lastUSec");
        if (r >= 0)
                r = sd_json_variant_set_field_unsigned(&v, "boots", n_boots);
        if (r >= 0 && e->rule == AUDIT_RULE_IS_GONE)
                r = sd_json_variant_set_field_boolean(&v, "gone", true);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(v);
        return 0;
}

/* As a line of the audit's file. Return: 0, -ENOMEM or what sd-json says. */
int audit_entry_to_line(const AuditEntry *e, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        assert(e && ret);

        r = build_subject(e, &v);
        if (r >= 0 && e->now.count > 0)
                r = merge_tally(&v, &e->now, "count", "firstUSec", "lastUSec");
        if (r >= 0 && e->earlier.count > 0)
                r = merge_tally(&v, &e->earlier, "earlierCount", "earlierFirstUSec", "earlierLastUSec");
        if (r >= 0 && e->earlier.count > 0)
                r = sd_json_variant_set_field_unsigned(&v, "earlierBoots", e->n_boots);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(v);
        return 0;
}

static int read_tally(sd_json_variant *v, const char *count, const char *first, const char *last,
                      AuditTally *ret) {
        int r;

        r = json_read_number(v, count, COUNT_MAX, &ret->count);
        if (r >= 0)
                r = json_read_number(v, first, JSON_USEC_MAX, &ret->first_usec);
        if (r >= 0)
                r = json_read_number(v, last, JSON_USEC_MAX, &ret->last_usec);
        if (r >= 0 && ret->count == 0)
                *ret = (AuditTally) {};
        return r;
}

static int read_entry(sd_json_variant *v, AuditEntry *e) {
        _cleanup_(freep) char *kind = NULL, *origin = NULL;
        uint64_t uid;
        int r;

        if ((r = json_read_text(v, "kind", &kind)) < 0 || (r = json_read_text(v, "origin", &origin)) < 0 ||
            (r = json_read_text(v, "module", &e->module)) < 0 ||
            (r = json_read_text(v, "key", &e->key)) < 0 ||
            (r = json_read_text(v, "device", &e->device)) < 0 ||
            (r = json_read_number(v, "uid", JSON_UID_MAX, &uid)) < 0 ||
            (r = json_read_text(v, "command", &e->command)) < 0 ||
            (r = json_read_text(v, "executable", &e->executable)) < 0 ||
            (r = json_read_text(v, "unit", &e->unit)) < 0 ||
            (r = json_read_text(v, "container", &e->container)) < 0 ||
            (r = read_tally(v, "count", "firstUSec", "lastUSec", &e->now)) < 0 ||
            (r = read_tally(v, "earlierCount", "earlierFirstUSec", "earlierLastUSec", &e->earlier)) < 0 ||
            (r = json_read_number(v, "earlierBoots", COUNT_MAX, &e->n_boots)) < 0 ||
            (r = plan_ruling_from_json(v, &e->ruling)) < 0)
                return r;
        e->kind = kind_from_string(kind);
        e->origin = request_origin_from_string(origin);
        e->has_uid = sd_json_variant_by_key(v, "uid") != NULL;
        e->uid = (uid_t) uid;
        if (e->earlier.count == 0)
                e->n_boots = 0;
        return e->kind < 0 || e->origin < 0 || !e->module || !e->key || e->now.count + e->earlier.count == 0
                       ? -EBADMSG
                       : 0;
}

/* Return: 0; -EBADMSG: not an entry that lkmd writes; -ENOMEM. */
int audit_entry_from_line(sd_json_variant *v, AuditEntry *ret) {
        AuditEntry e = {};
        int r;

        assert(v && ret);

        r = read_entry(v, &e);
        if (r < 0)
                audit_entry_clear(&e);
        else
                *ret = e;
        return r;
}
