/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>
#include <systemd/sd-json.h>

#include "cli/print/output.h"
#include "common/base/problem-list.h"
#include "common/policy/policy.h"

/* Rules, and problems with them, as text and JSON. */

void print_match(FILE *f, const PolicyRule *rule);
void print_condition(FILE *f, const PolicyRule *rule, uint32_t keys);
int rule_to_json(const Policy *p, const PolicyRule *rule, size_t order, sd_json_variant **ret);
void policy_print_problems(const ProblemList *problems, FILE *f);
int problem_to_json(const Problem *p, sd_json_variant **ret);
