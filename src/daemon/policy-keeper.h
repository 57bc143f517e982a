/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/plan.h"
#include "common/policy.h"
#include "common/problem-list.h"
#include "common/util.h"
#include "daemon/grants.h"

/* PolicyKeeper: the policy in force, always as new as the disk, and the exceptions from it. */
typedef struct PolicyKeeper PolicyKeeper;

/* What a verdict goes by is another now: files, grants or mode. */
typedef void (*policy_changed_t)(void *userdata);

int policy_keeper_new(PolicyKeeper **ret, sd_event *event, const char *root, PolicyMode mode,
                      policy_changed_t changed, void *userdata);
PolicyKeeper *policy_keeper_free(PolicyKeeper *k);
DEFINE_CLEANUP(PolicyKeeper, policy_keeper_free);

const Policy *policy_keeper_get(PolicyKeeper *k);
int policy_keeper_rebuild(PolicyKeeper *k);
void policy_keeper_set_mode(PolicyKeeper *k, PolicyMode mode);

bool policy_keeper_is_broken(const PolicyKeeper *k);
const ProblemList *policy_keeper_get_problems(const PolicyKeeper *k);

const Grants *policy_keeper_get_grants(const PolicyKeeper *k);
int policy_keeper_grant(PolicyKeeper *k, const Grant *wanted, const Grant **ret);
int policy_keeper_revoke(PolicyKeeper *k, const char *id);
void policy_keeper_use(PolicyKeeper *k, const PlanCause *cause);
