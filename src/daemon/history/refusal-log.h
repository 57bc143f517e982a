/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/plan/plan.h"
#include "daemon/history/request.h"

/* Verdicts: tells the journal what was kept out and by which line, and of the same no second time. */
typedef struct Verdicts Verdicts;

int verdicts_new(Verdicts **ret);
Verdicts *verdicts_free(Verdicts *v);
DEFINE_CLEANUP(Verdicts, verdicts_free);

void verdicts_forget(Verdicts *v);

void verdicts_tell_omission(Verdicts *v, const Request *request, const PlanOmission *o);
void verdicts_tell_would_refuse(Verdicts *v, const Request *request, const PlanOmission *o);
void verdicts_tell_reported(Verdicts *v, const Request *request, const PlanStep *step);
