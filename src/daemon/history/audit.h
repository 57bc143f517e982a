/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "common/base/util.h"
#include "common/plan/plan.h"
#include "daemon/history/request.h"

/* Audit: what the policy refused, would have refused and reported, and how often. */
typedef struct Audit Audit;

typedef enum AuditKind {                /* names are those of the varlink enum AuditKind */
        AUDIT_REFUSED,
        AUDIT_WOULD_REFUSE,
        AUDIT_REPORTED,
        _AUDIT_KIND_MAX,
        _AUDIT_KIND_INVALID = -EINVAL,
} AuditKind;

int audit_new(Audit **ret, const char *file);
Audit *audit_free(Audit *a);
DEFINE_CLEANUP(Audit, audit_free);

void audit_note(Audit *a, AuditKind kind, const char *module, const PlanRuling *ruling,
                const Request *request);

size_t audit_count(const Audit *a);
uint64_t audit_count_dropped(const Audit *a);
int audit_describe(Audit *a, sd_json_variant **ret);

const char *audit_kind_to_string(AuditKind kind);
