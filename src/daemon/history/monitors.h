/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"
#include "common/plan/plan.h"
#include "daemon/history/record.h"

/* Monitors: the clients of Monitor, and the events that they get. */
typedef struct Monitors Monitors;

int monitors_new(Monitors **ret);
Monitors *monitors_free(Monitors *m);
DEFINE_CLEANUP(Monitors, monitors_free);

int monitors_add(Monitors *m, sd_varlink *link);
void monitors_remove(Monitors *m, sd_varlink *link);

bool monitors_is_empty(const Monitors *m);

void monitors_device(Monitors *m, const Request *request, char *const *matches);
void monitors_gate_refused(Monitors *m, const Request *request, const char *message);
void monitors_verdict(Monitors *m, const char *kind, const Request *request, const PlanOmission *omission);
void monitors_record(Monitors *m, const char *kind, const Record *record);
void monitors_problem(Monitors *m, const Problem *problem);
void monitors_message(Monitors *m, const char *kind, const char *message);

int event_of_record(const char *kind, const Record *record, sd_json_variant **ret);
