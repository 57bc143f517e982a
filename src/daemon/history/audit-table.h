/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/boot-moment.h"
#include "daemon/history/audit-entry.h"

/*
 * AuditTable: the entries of the audit, bounded in number and in bytes, and over which time they were counted. A file
 * holds one, and says of which machine and boot it is.
 */

#define MACHINE_ID_SIZE 33U             /* with the NUL */

typedef struct AuditHead {
        char machine[MACHINE_ID_SIZE];  /* "": it has none */
        char boot[BOOT_ID_SIZE];        /* "": not known */
        uint64_t since_usec;            /* CLOCK_REALTIME: what happened before is not counted; 0: not known */
        uint64_t n_boots;               /* that were counted before this one */
        uint64_t n_dropped;             /* entries, for want of room */
        bool joined;                    /* what was kept of earlier boots is among the entries, or was cleared */
} AuditHead;

typedef struct AuditTable {
        AuditHead head;
        AuditEntry *entries;            /* room for AUDIT_ENTRIES_MAX */
        size_t n_entries, n_bytes;      /* the bytes of their texts */

        /* while a file is read: */
        bool has_head;                  /* one was read; lines of an lkmd before there were heads have none */
        const char *objection;          /* why the file does not count; static */
} AuditTable;

int audit_table_init(AuditTable *t);            /* an empty one, of this machine and boot */
void audit_table_done(AuditTable *t);
void audit_table_clear(AuditTable *t);

AuditEntry *audit_table_find(const AuditTable *t, const AuditEntry *like);
AuditEntry *audit_table_add(AuditTable *t, AuditEntry *e);
void audit_table_merge(AuditTable *t, AuditTable *other);

int audit_table_head_to_line(const AuditTable *t, sd_json_variant **ret);
int audit_table_take_line(AuditTable *t, sd_json_variant *v);
const char *audit_table_settle(AuditTable *t);
