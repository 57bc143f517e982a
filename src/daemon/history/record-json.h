/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "common/base/problem-list.h"
#include "daemon/history/record.h"

/* RecordJson: records, requests and problems as types of the varlink interface, and records back. */

int describe_request(const Request *request, sd_json_variant **ret);
int describe_record(const Record *record, sd_json_variant **ret);
int describe_records(const RecordList *list, sd_json_variant **ret);
int describe_problem(const Problem *problem, sd_json_variant **ret);
int describe_problems(const ProblemList *list, sd_json_variant **ret);

int plan_ruling_from_json(sd_json_variant *v, PlanRuling *ret);
int record_from_json(sd_json_variant *v, Record **ret);
