/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"
#include "common/plan/plan.h"
#include "common/policy/policy.h"
#include "daemon/config/grants.h"

/* PolicyKeeper: the policy in force, always as new as the disk, and the exceptions from it. */
typedef struct PolicyKeeper PolicyKeeper;

/*
 * What a verdict goes by was read anew: files, grants or mode. @is_news: there is a policy, or was one; else
 * nobody needs to hear of it.
 */
typedef void (*policy_changed_t)(bool is_news, void *userdata);
/* Something is wrong with a file, and was not before. */
typedef void (*policy_problem_t)(const Problem *problem, void *userdata);

typedef enum PolicyStanding {           /* names are those of the varlink enum PolicyStanding */
        POLICY_IS_CURRENT,              /* it is what the files say */
        POLICY_IS_OLD,                  /* they are broken, and it is what they said before */
        POLICY_IS_LAST_GOOD,            /* likewise, before the last start */
        POLICY_IS_PARTIAL,              /* likewise, and it is what can be read of them */
        _POLICY_STANDING_MAX,
} PolicyStanding;

typedef struct PolicyKeeperOptions {
        sd_event *event;
        const char *root;               /* prefix of all its paths; NULL: none */
        PolicyMode mode;                /* Mode= of lkmd.conf */
        policy_changed_t changed;       /* not for the first policy */
        policy_problem_t problem;
        void *userdata;
} PolicyKeeperOptions;

int policy_keeper_new(PolicyKeeper **ret, const PolicyKeeperOptions *options);
PolicyKeeper *policy_keeper_free(PolicyKeeper *k);
DEFINE_CLEANUP(PolicyKeeper, policy_keeper_free);

const Policy *policy_keeper_get(PolicyKeeper *k);
uint64_t policy_keeper_get_generation(const PolicyKeeper *k);
int policy_keeper_rebuild(PolicyKeeper *k);
void policy_keeper_set_mode(PolicyKeeper *k, PolicyMode mode);

PolicyStanding policy_keeper_get_standing(const PolicyKeeper *k);
const char *policy_standing_to_string(PolicyStanding s);
bool policy_keeper_is_broken(const PolicyKeeper *k);
const ProblemList *policy_keeper_get_problems(const PolicyKeeper *k);
const ProblemList *policy_keeper_get_watch_problems(const PolicyKeeper *k);

const Grants *policy_keeper_get_grants(const PolicyKeeper *k);
int policy_keeper_grant(PolicyKeeper *k, const Grant *wanted, const Grant **ret);
int policy_keeper_revoke(PolicyKeeper *k, const char *id);
void policy_keeper_use(PolicyKeeper *k, const PlanRuling *ruling);
