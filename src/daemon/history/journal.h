/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/base/log.h"
#include "daemon/history/monitors.h"
#include "daemon/history/record.h"

/* Journal: entries about what happened. Those that are not about a record go to the monitors as well. */

/* The fields of an entry that say who asked for what; borrows from the request. */
LogFields journal_fields(const Request *request);

void journal_record(const Record *record);
void journal_foreign(Monitors *monitors, const Record *record, const PolicyRuling *denied_by);
void journal_gate_lost(Monitors *monitors, uint64_t n_events);
void journal_forgotten(const char *module, int error);
void journal_slow(const Record *record);
void journal_noisy(Monitors *monitors, const char *device, unsigned n_events, uint64_t window_usec,
                   uint64_t hold_usec);
void journal_events_lost(Monitors *monitors, bool is_overflow, uint64_t n_missing);
void journal_stepped_in(Monitors *monitors, const char *why);
void journal_own_rule(Monitors *monitors, const char *path);
void journal_stepped_back(Monitors *monitors, const char *why, const char *remedy);
