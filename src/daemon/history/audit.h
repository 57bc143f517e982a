/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/history/audit-entry.h"
#include "daemon/history/audit-table.h"

/* Audit: what the policy refused, would have refused and reported, and how often, in this boot and in earlier ones. */
typedef struct Audit Audit;

typedef void (*audit_changed_t)(bool cleared, void *userdata);
typedef bool (*audit_has_rule_t)(const PlanRuling *ruling, void *userdata); /* the policy in force */

int audit_new(Audit **ret, const char *file);
Audit *audit_free(Audit *a);
DEFINE_CLEANUP(Audit, audit_free);

void audit_on_change(Audit *a, audit_changed_t changed, void *userdata);
void audit_set_policy(Audit *a, audit_has_rule_t has_rule, void *userdata);
void audit_policy_changed(Audit *a);

void audit_note(Audit *a, AuditKind kind, const char *module, const PlanRuling *ruling,
                const Request *request);
void audit_sync(Audit *a);
int audit_join(Audit *a, const char *file);
void audit_clear(Audit *a);

const AuditHead *audit_get_head(const Audit *a);
size_t audit_count(const Audit *a);
int audit_describe(Audit *a, bool this_boot, sd_json_variant **ret);
