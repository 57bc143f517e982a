/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "common/plan/plan.h"
#include "daemon/history/request.h"

/*
 * AuditTrail: tells lkmd-trail of requests, which makes records of the kernel's audit subsystem of them. Whatever goes
 * wrong there concerns no request.
 */
typedef struct AuditTrail AuditTrail;

int audit_trail_new(AuditTrail **ret, sd_event *event, const char *address);
AuditTrail *audit_trail_free(AuditTrail *t);
DEFINE_CLEANUP(AuditTrail, audit_trail_free);

void audit_trail_write(AuditTrail *t, const Request *request, bool allowed, const char *module,
                       const PlanRuling *ruling);
