/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "common/base/util.h"
#include "common/plan/plan.h"
#include "daemon/history/request.h"

/* AuditEntry: what the policy did to one module, by one rule, for one requester, and how often. */

typedef enum AuditKind {                /* names are those of the varlink enum AuditKind */
        AUDIT_REFUSED,
        AUDIT_WOULD_REFUSE,
        AUDIT_REPORTED,
        _AUDIT_KIND_MAX,
        _AUDIT_KIND_INVALID = -EINVAL,
} AuditKind;

typedef struct AuditTally {
        uint64_t count;
        uint64_t first_usec, last_usec; /* CLOCK_REALTIME; 0 if @count is 0 */
} AuditTally;

typedef enum AuditRule {                /* is the rule still there? */
        AUDIT_RULE_UNCHECKED,
        AUDIT_RULE_IS_THERE,
        AUDIT_RULE_IS_GONE,
} AuditRule;

typedef struct AuditEntry {
        AuditKind kind;
        char *module;
        PlanRuling ruling;
        RequestOrigin origin;
        char *key, *device;             /* escaped for JSON; device may be NULL */
        bool has_uid;
        uid_t uid;
        char *command, *executable,
                *unit; /* of the process, escaped for JSON; NULL: not known, or not told apart */
        char *container;                /* that the process is in, likewise */

        AuditTally now, earlier;        /* in this boot, and in those before it */
        uint64_t n_boots;               /* of those before it, in which it happened */
        AuditRule rule;                 /* by the policy in force */
        bool unwritten;                 /* the file has a lower count */
} AuditEntry;

int audit_entry_make(AuditEntry *ret, AuditKind kind, const char *module, const PlanRuling *ruling,
                     const Request *request);
void audit_entry_clear(AuditEntry *e);

bool audit_entries_equal(const AuditEntry *a, const AuditEntry *b); /* but for their counts */
bool audit_entries_similar(const AuditEntry *a,
                           const AuditEntry *b); /* .. and for the process of one user */
void audit_entry_forget_process(AuditEntry *e);
int audit_entries_compare(const AuditEntry *a, const AuditEntry *b);
size_t audit_entry_size(const AuditEntry *e);   /* bytes of its texts */
uint64_t audit_entry_last_usec(const AuditEntry *e);

void audit_entry_add(AuditEntry *e, const AuditEntry *other);
void audit_entry_age(AuditEntry *e);

int audit_entry_describe(const AuditEntry *e, bool this_boot, sd_json_variant **ret);
int audit_entry_to_line(const AuditEntry *e, sd_json_variant **ret);
int audit_entry_from_line(sd_json_variant *v, AuditEntry *ret);

const char *audit_kind_to_string(AuditKind kind);
