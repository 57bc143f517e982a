/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/plan/plan.h"
#include "daemon/history/audit-trail.h"
#include "daemon/history/monitors.h"
#include "daemon/history/request.h"

/*
 * RefusalLog: logs which modules were left out and by which line, each refusal once, and who asks through the kernel.
 */
typedef struct RefusalLog RefusalLog;

int refusal_log_new(RefusalLog **ret, AuditTrail *trail);
RefusalLog *refusal_log_free(RefusalLog *v);
DEFINE_CLEANUP(RefusalLog, refusal_log_free);

void refusal_log_forget(RefusalLog *v);

void refusal_log_omission(RefusalLog *v, const Request *request, const PlanOmission *o);
void refusal_log_in_kernel(RefusalLog *v, Monitors *monitors, const Request *request,
                           const PlanRuling *ruling);
void refusal_log_asked(RefusalLog *v, const Request *request, const char *module, bool is_load);
void refusal_log_would_refuse(RefusalLog *v, const Request *request, const PlanOmission *o);
void refusal_log_reported(RefusalLog *v, const Request *request, const PlanStep *step);
