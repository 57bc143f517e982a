/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Audit: a bounded table of what the policy did to requests. Events that agree in module, rule and requester are
 * one entry with a count.
 *
 * Owns the table and its file in /run, see audit-table.c. A new entry is written at once, another line each time its
 * count has doubled, and the rest by audit_sync(), so that a storm costs nothing. The counts in the file are exact
 * after a clean stop. If the file cannot be written, a restart loses the audit; nothing else suffers.
 *
 * What was kept of earlier boots is read when it is there (audit-keeper.c), which may be long after the start.
 */

#include "daemon/history/audit.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "daemon/base/log.h"
#include "daemon/base/state-log.h"

#define LINES_MAX (4U * AUDIT_ENTRIES_MAX) /* then the file is rewritten */

struct Audit {
        AuditTable table;
        StateLog log;
        sd_json_variant *described
                [2]; /* cached replies, of all boots and of this one; NULL: not asked for since a change */
        audit_changed_t changed;
        void *changed_userdata;
        audit_has_rule_t has_rule;
        void *has_rule_userdata;
};

static void forget_descriptions(Audit *a) {
        for (size_t i = 0; i < ARRAY_LEN(a->described); i++)
                a->described[i] = sd_json_variant_unref(a->described[i]);
}

static void report_change(Audit *a, bool cleared) {
        forget_descriptions(a);
        if (a->changed)
                a->changed(cleared, a->changed_userdata);
}

/* --------------------------------------------------------------------------------------------------- file */

static size_t count_lines(void *userdata) {
        const Audit *a = userdata;

        return 1 + a->table.n_entries;
}

static int format_line(size_t i, sd_json_variant **ret, void *userdata) {
        Audit *a = userdata;

        if (i == 0)
                return audit_table_head_to_line(&a->table, ret);
        a->table.entries[i - 1].unwritten = false;
        return audit_entry_to_line(a->table.entries + i - 1, ret);
}

static int take_line(sd_json_variant *v, void *userdata) {
        return audit_table_take_line(userdata, v);
}

static void write_entry(Audit *a, AuditEntry *e) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        int r;

        if (!a->log.path)
                return;
        e->unwritten = false;
        r = audit_entry_to_line(e, &v);
        if (r < 0)
                log_warning("%s: cannot write down what the policy did to %s: %s", a->log.path, e->module, strerror(-r));
        else
                state_log_append(&a->log, v);
}

/* Write the counts that the file does not have yet. */
void audit_sync(Audit *a) {
        assert(a);

        for (size_t i = 0; i < a->table.n_entries; i++)
                if (a->table.entries[i].unwritten)
                        write_entry(a, a->table.entries + i);
}

/* The file was read. One that must not be used costs itself. */
static void settle(AuditTable *t, const char *file) {
        const char *objection = audit_table_settle(t);

        if (objection)
                log_warning("%s: %s; it does not count, and is replaced when it is written next", file,
                            objection);
}

/* ------------------------------------------------------------------------------------------------- object */

/**
 * audit_new() - an audit that continues what an earlier lkmd of this boot wrote to @file
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
        r = audit_table_init(&a->table);
        if (r < 0)
                return r;
        a->log = (StateLog) {
                .count = count_lines,
                .format = format_line,
                .take = take_line,
                .userdata = &a->table,
                .lines_max = LINES_MAX,
                .bytes_max = AUDIT_FILE_MAX,
                .loss = "what the policy does from now on will be forgotten at a restart",
        };
        r = state_log_open(&a->log, file, AUDIT_FILE_MAX);
        a->log.userdata = a;
        if (r < 0)
                return r;
        settle(&a->table, file);
        state_log_rewrite(&a->log);

        *ret = STEAL_PTR(a);
        return 0;
}

/* Return: NULL. Writes the exact counts to the file. */
Audit *audit_free(Audit *a) {
        if (!a)
                return NULL;

        if (a->table.entries && a->log.userdata == a)
                state_log_rewrite(&a->log);
        state_log_close(&a->log);
        audit_table_done(&a->table);
        forget_descriptions(a);
        free(a);
        return NULL;
}

/* @changed: called after each change that is not in the file of what is kept */
void audit_on_change(Audit *a, audit_changed_t changed, void *userdata) {
        assert(a);

        a->changed = changed;
        a->changed_userdata = userdata;
}

/* @has_rule: asked once for each entry, and again after audit_policy_changed() */
void audit_set_policy(Audit *a, audit_has_rule_t has_rule, void *userdata) {
        assert(a);

        a->has_rule = has_rule;
        a->has_rule_userdata = userdata;
        audit_policy_changed(a);
}

void audit_policy_changed(Audit *a) {
        assert(a);

        for (size_t i = 0; i < a->table.n_entries; i++)
                a->table.entries[i].rule = AUDIT_RULE_UNCHECKED;
        forget_descriptions(a);
}

/*
 * A process chooses its name, and may run any number of programs, but must not push the entries of others out of the
 * table: those of one user for one cause are told apart up to AUDIT_PROCESSES_MAX.
 */
static AuditEntry *find_entry(Audit *a, AuditEntry *e) {
        AuditEntry *found = audit_table_find(&a->table, e);
        size_t n = 0;

        if (found)
                return found;
        for (size_t i = 0; i < a->table.n_entries; i++)
                n += audit_entries_similar(a->table.entries + i, e);
        if (n < AUDIT_PROCESSES_MAX)
                return NULL;
        audit_entry_forget_process(e);
        return audit_table_find(&a->table, e);
}

/* Count what the policy did to a module of a request. A failure is logged. */
void audit_note(Audit *a, AuditKind kind, const char *module, const PlanRuling *ruling,
                const Request *request) {
        AuditEntry e, *entry;
        uint64_t now = clock_usec(CLOCK_REALTIME);
        int r;

        assert(a && kind >= 0 && kind < _AUDIT_KIND_MAX && module && ruling && request);

        r = audit_entry_make(&e, kind, module, ruling, request);
        if (r < 0) {
                log_warning("%s: cannot remember what the policy did: %s", module, strerror(-r));
                return;
        }
        e.now = (AuditTally) { .count = 1, .first_usec = now, .last_usec = now };
        entry = find_entry(a, &e);
        if (entry)
                audit_entry_add(entry, &e);
        else
                entry = audit_table_add(&a->table, &e);
        audit_entry_clear(&e);
        entry->unwritten = true;
        if ((entry->now.count & (entry->now.count - 1)) == 0)
                write_entry(a, entry);
        report_change(a, false);
}

/**
 * audit_join() - add what was kept of earlier boots, once
 * @file: the copy of what is kept; an empty file: nothing is
 *
 * Return: 0, also if the file must not be used, which was logged; -ENOMEM.
 */
int audit_join(Audit *a, const char *file) {
        _cleanup_(audit_table_done) AuditTable kept = {};
        StateLog reader = {
                .count = count_lines,   /* nothing is written */
                .format = format_line,
                .take = take_line,
                .userdata = &kept,
                .lines_max = LINES_MAX,
                .loss = "",
        };
        int r;

        assert(a && file);

        if (a->table.head.joined)
                return 0;
        r = audit_table_init(&kept);
        if (r >= 0)
                r = state_log_open(&reader, file, AUDIT_FILE_MAX);
        state_log_close(&reader);
        if (r >= 0 && kept.n_entries > 0 && !kept.has_head && !kept.objection)
                kept.objection = "its first line is none of lkmd's";
        if (r < 0)
                return r;

        settle(&kept, file);
        audit_table_merge(&a->table, &kept);
        a->table.head.joined = true;
        state_log_rewrite(&a->log);
        report_change(a, false);
        return 0;
}

/* Forget everything, also what is kept of earlier boots and was not read yet. */
void audit_clear(Audit *a) {
        assert(a);

        audit_table_clear(&a->table);
        a->table.head.joined = true;
        state_log_rewrite(&a->log);
        report_change(a, true);
}

/* Of which boots the entries are. */
const AuditHead *audit_get_head(const Audit *a) {
        assert(a);

        return &a->table.head;
}

size_t audit_count(const Audit *a) {
        assert(a);

        return a->table.n_entries;
}

/* -------------------------------------------------------------------------------------------- description */

static int compare_entries(const void *a, const void *b) {
        return audit_entries_compare(*(const AuditEntry *const *) a, *(const AuditEntry *const *) b);
}

static void check_rule(Audit *a, AuditEntry *e) {
        if (a->has_rule && e->rule == AUDIT_RULE_UNCHECKED)
                e->rule = a->has_rule(&e->ruling, a->has_rule_userdata) ? AUDIT_RULE_IS_THERE
                                                                        : AUDIT_RULE_IS_GONE;
}

/**
 * audit_describe() - a sorted array of the varlink type AuditEntry
 * @this_boot: only what happened in this boot
 *
 * It takes a while to build and anybody may ask for it repeatedly, so it is cached until something changes.
 *
 * Return: 0, -ENOMEM or what sd-json says.
 */
int audit_describe(Audit *a, bool this_boot, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        _cleanup_(freep) AuditEntry **sorted = NULL;
        int r;

        assert(a && ret);

        if (a->described[this_boot]) {
                *ret = sd_json_variant_ref(a->described[this_boot]);
                return 0;
        }
        sorted = calloc(a->table.n_entries + 1, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < a->table.n_entries; i++)
                sorted[i] = a->table.entries + i;
        qsort(sorted, a->table.n_entries, sizeof(*sorted), compare_entries);

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (size_t i = 0; r >= 0 && i < a->table.n_entries; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (this_boot && sorted[i]->now.count == 0)
                        continue;
                check_rule(a, sorted[i]);
                r = audit_entry_describe(sorted[i], this_boot, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
        }
        if (r < 0)
                return r;

        a->described[this_boot] = sd_json_variant_ref(array);
        *ret = STEAL_PTR(array);
        return 0;
}
