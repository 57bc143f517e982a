/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan/plan-graph.h"

/*
 * PlanRules: how the policy and the lines of modprobe.d apply to a plan, and the one place where a plan of lkmd
 * differs from one of kmod. docs/kmod-differences.md has the reasons.
 */

int plan_rules_get_softdeps(const PlanGraph *g, const char *module, IndexSoftdep **ret, size_t *ret_n);
int plan_rules_settle_command(PlanGraph *g, size_t i);
void plan_rules_make_subject(const PlanGraph *g, const Node *n, PolicyPart part, PolicyRequester *ret_requester,
                             PolicySubject *ret);
const char *plan_rules_kernel_name(const PlanRequest *request, const Node *n);
void plan_rules_judge(const PlanRequest *request, const PolicySubject *subject, const char *kernel_name,
                      PolicyDecision *ret);
bool plan_rules_deny(PlanGraph *g, size_t i, PolicyPart part);
int plan_rules_each_options(const PlanGraph *g, const Node *n, policy_options_t on_rule, void *userdata);
const PolicyRule *plan_rules_find_preference(const PlanGraph *g);
