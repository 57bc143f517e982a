/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan-graph.h"

/*
 * PlanRules: what lines of modprobe.d mean for a plan, where lkmd and kmod are of two minds. Everything else
 * in a plan is the same for both. docs/kmod-differences.md has the reasons.
 */

const ConfigEntry *plan_rules_find_blacklist(const PlanGraph *g, const char *module);
int plan_rules_get_softdeps(const PlanGraph *g, const char *module, const IndexSoftdep **ret, size_t *ret_n);
int plan_rules_settle_command(PlanGraph *g, size_t i);
bool plan_rules_denies(const PlanGraph *g, const Node *n);
