/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AuditTable: see audit-table.h. Owns the entries. When it is full, the entry that was updated least recently is
 * dropped.
 *
 * A file is a head, {"version":1,"machine":..,"boot":..}, and a line for each entry, of which the last about an entry
 * holds. A file of another machine, whose disk this one was, or of a newer lkmd does not count as a whole; any other
 * line that lkmd does not write costs itself.
 */

#include "daemon/history/audit-table.h"

#include <assert.h>
#include <systemd/sd-id128.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "daemon/base/json-read.h"

#define VERSION 1U
#define NUMBER_MAX (1ULL << 52)         /* JSON numbers are exact up to 2^53 */

static AuditHead new_head(void) {
        AuditHead head = { .since_usec = clock_usec(CLOCK_REALTIME) };
        BootMoment now;
        sd_id128_t id;

        boot_moment_now(&now);
        memcpy(head.boot, now.id, sizeof(head.boot));
        if (sd_id128_get_machine(&id) >= 0)
                (void) sd_id128_to_string(id, head.machine);
        return head;
}

/**
 * audit_table_init() - an empty table, counted from now on
 *
 * Return: 0 or -ENOMEM.
 */
int audit_table_init(AuditTable *t) {
        assert(t);

        *t = (AuditTable) { .entries = calloc(AUDIT_ENTRIES_MAX, sizeof(*t->entries)) };
        if (!t->entries)
                return -ENOMEM;
        t->head = new_head();
        return 0;
}

static void drop_entries(AuditTable *t) {
        for (size_t i = 0; i < t->n_entries; i++)
                audit_entry_clear(t->entries + i);
        t->n_entries = t->n_bytes = 0;
}

void audit_table_done(AuditTable *t) {
        assert(t);

        drop_entries(t);
        free(t->entries);
        *t = (AuditTable) {};
}

/* Forgets all; what happens from now on is counted. */
void audit_table_clear(AuditTable *t) {
        assert(t);

        drop_entries(t);
        t->head.n_boots = t->head.n_dropped = 0;
        t->head.since_usec = clock_usec(CLOCK_REALTIME);
}

/* ------------------------------------------------------------------------------------------------ entries */

AuditEntry *audit_table_find(const AuditTable *t, const AuditEntry *like) {
        assert(t && like);

        for (size_t i = 0; i < t->n_entries; i++)
                if (audit_entries_equal(t->entries + i, like))
                        return t->entries + i;
        return NULL;
}

/* What a container asked for. */
static bool is_containers(const AuditEntry *e, const char *container) {
        return e->origin == ORIGIN_CONTAINER && streq_ptr(e->container, container);
}

/* @container: of its entries; NULL: of all */
static void drop_oldest(AuditTable *t, const char *container) {
        AuditEntry *oldest = NULL;

        for (size_t i = 0; i < t->n_entries; i++)
                if ((!container || is_containers(t->entries + i, container)) &&
                    (!oldest || audit_entry_last_usec(t->entries + i) < audit_entry_last_usec(oldest)))
                        oldest = t->entries + i;
        if (!oldest)
                return;
        t->n_bytes -= audit_entry_size(oldest);
        audit_entry_clear(oldest);
        *oldest = t->entries[--t->n_entries];
        t->head.n_dropped++;
}

/* A container may ask for anything, and must not push the entries of others out. */
static void bound_container(AuditTable *t, const char *container) {
        size_t n = 0;

        for (size_t i = 0; i < t->n_entries; i++)
                n += is_containers(t->entries + i, container);
        if (n >= AUDIT_CONTAINER_MAX)
                drop_oldest(t, container);
}

/* Takes what is in @e, of which the table has no equal. Return: where it is now, until the next change. */
AuditEntry *audit_table_add(AuditTable *t, AuditEntry *e) {
        size_t size = audit_entry_size(e);
        AuditEntry *place;

        assert(t && e);

        if (e->origin == ORIGIN_CONTAINER && e->container)
                bound_container(t, e->container);
        while (t->n_entries > 0 &&
               (t->n_entries == AUDIT_ENTRIES_MAX || t->n_bytes + size > AUDIT_BYTES_MAX))
                drop_oldest(t, NULL);
        place = t->entries + t->n_entries++;
        t->n_bytes += size;
        *place = *e;
        *e = (AuditEntry) {};
        return place;
}

static int compare_age(const void *a, const void *b) {
        uint64_t x = audit_entry_last_usec(a), y = audit_entry_last_usec(b);

        return (x > y) - (x < y);
}

/* Adds what an earlier lkmd counted. Takes the entries of @other. */
void audit_table_merge(AuditTable *t, AuditTable *other) {
        _cleanup_(freep) AuditEntry *mine = t->entries;
        size_t n = t->n_entries;

        assert(t && other);

        /* those of this boot are added last: the older make room for them */
        t->entries = STEAL_PTR(other->entries);
        t->n_entries = other->n_entries;
        t->n_bytes = other->n_bytes;
        other->n_entries = other->n_bytes = 0;
        qsort(mine, n, sizeof(*mine), compare_age);
        for (size_t i = 0; i < n; i++) {
                AuditEntry *known = audit_table_find(t, mine + i);

                if (!known) {
                        (void) audit_table_add(t, mine + i);
                        continue;
                }
                audit_entry_add(known, mine + i);
                audit_entry_clear(mine + i);
        }
        t->head.n_boots = MIN(t->head.n_boots + other->head.n_boots, NUMBER_MAX);
        t->head.n_dropped = MIN(t->head.n_dropped + other->head.n_dropped, NUMBER_MAX);
        if (other->head.since_usec > 0)
                t->head.since_usec = MIN(t->head.since_usec, other->head.since_usec);
}

/* Another boot has begun. */
static void age(AuditTable *t) {
        for (size_t i = 0; i < t->n_entries; i++)
                audit_entry_age(t->entries + i);
        t->head.n_boots = MIN(t->head.n_boots + 1, NUMBER_MAX);
}

/* --------------------------------------------------------------------------------------------------- file */

int audit_table_head_to_line(const AuditTable *t, sd_json_variant **ret) {
        assert(t && ret);

        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_UNSIGNED("version", VERSION),
                              SD_JSON_BUILD_PAIR_STRING("machine", t->head.machine),
                              SD_JSON_BUILD_PAIR_STRING("boot", t->head.boot),
                              SD_JSON_BUILD_PAIR_UNSIGNED("sinceUSec", t->head.since_usec),
                              SD_JSON_BUILD_PAIR_UNSIGNED("earlierBoots", t->head.n_boots),
                              SD_JSON_BUILD_PAIR_UNSIGNED("dropped", t->head.n_dropped),
                              SD_JSON_BUILD_PAIR_BOOLEAN("joined", t->head.joined));
}

static int read_head(sd_json_variant *v, AuditHead *ret) {
        _cleanup_(freep) char *machine = NULL, *boot = NULL;
        AuditHead head = {};
        int r;

        if ((r = json_read_text(v, "machine", &machine)) < 0 || (r = json_read_text(v, "boot", &boot)) < 0 ||
            (r = json_read_number(v, "sinceUSec", JSON_USEC_MAX, &head.since_usec)) < 0 ||
            (r = json_read_number(v, "earlierBoots", NUMBER_MAX, &head.n_boots)) < 0 ||
            (r = json_read_number(v, "dropped", NUMBER_MAX, &head.n_dropped)) < 0 ||
            (r = json_read_flag(v, "joined", &head.joined)) < 0)
                return r;
        if (!machine || !boot || strlen(machine) >= sizeof(head.machine) ||
            strlen(boot) >= sizeof(head.boot))
                return -EBADMSG;
        memcpy(head.machine, machine, strlen(machine));
        memcpy(head.boot, boot, strlen(boot));
        *ret = head;
        return 0;
}

/* An initramfs may have another machine ID than the root file system. */
static bool is_of_this_boot(const AuditTable *t, const AuditHead *head) {
        return *head->boot && streq(head->boot, t->head.boot);
}

/* The table has the machine and the boot that the file should be of until its head is read. */
static int take_head(AuditTable *t, sd_json_variant *v) {
        AuditHead head;
        uint64_t version;
        int r;

        if (t->has_head || t->n_entries > 0)
                return -EBADMSG;        /* it is the first line or none */
        r = json_read_number(v, "version", NUMBER_MAX, &version);
        if (r < 0)
                return r;
        if (version != VERSION) {
                t->objection = "it was written by another version of lkmd";
                return 0;
        }
        r = read_head(v, &head);
        if (r < 0)
                return r;
        if (!streq(head.machine, t->head.machine) && !is_of_this_boot(t, &head)) {
                t->objection = "it is of another machine";
                return 0;
        }
        memcpy(head.machine, t->head.machine, sizeof(head.machine));
        t->head = head;
        t->has_head = true;
        return 0;
}

/**
 * audit_table_take_line() - read a line of a file into a table that was empty before
 *
 * Lines behind a head that is objected to are ignored.
 *
 * Return: 0; -EBADMSG: not a line that lkmd writes; -ENOMEM.
 */
int audit_table_take_line(AuditTable *t, sd_json_variant *v) {
        AuditEntry e, *known;
        int r;

        assert(t && v);

        if (t->objection)
                return 0;
        if (sd_json_variant_by_key(v, "version"))
                return take_head(t, v);
        r = audit_entry_from_line(v, &e);
        if (r < 0)
                return r;
        known = audit_table_find(t, &e);
        if (known) {                    /* the last line holds */
                t->n_bytes += audit_entry_size(&e) - audit_entry_size(known);
                audit_entry_clear(known);
                *known = e;
        } else
                (void) audit_table_add(t, &e);
        return 0;
}

/**
 * audit_table_settle() - the file was read: what is of another boot becomes earlier, what must not be used is dropped
 *
 * Return: why the whole file does not count, static; NULL: it does.
 */
const char *audit_table_settle(AuditTable *t) {
        AuditHead head = new_head();
        const char *objection;

        assert(t);

        objection = t->objection;
        t->objection = NULL;
        if (objection) {
                drop_entries(t);
                t->head = head;
        } else if (t->has_head && (!streq(t->head.boot, head.boot) || !*head.boot)) {
                age(t);
                memcpy(t->head.boot, head.boot, sizeof(t->head.boot));
        }
        return objection;
}
