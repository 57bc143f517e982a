/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"
#include "common/plan/plan.h"
#include "common/policy/policy.h"
#include "daemon/config/grants.h"

/* PolicyKeeper: the policy in force, always as new as its files, and the grants. */
typedef struct PolicyKeeper PolicyKeeper;

/*
 * Called after files, grants or mode have changed. @is_news: false if there was no policy before and is none now, so
 * that there is nothing to report.
 */
typedef void (*policy_changed_t)(bool is_news, void *userdata);
/* A file has a new problem. */
typedef void (*policy_problem_t)(const Problem *problem, void *userdata);

typedef enum PolicyStanding {           /* names are those of the varlink enum PolicyStanding */
        POLICY_IS_CURRENT,              /* what the files say */
        POLICY_IS_OLD,                  /* some file is broken; what the files said before */
        POLICY_IS_LAST_GOOD,            /* some file is broken; the copy that an earlier lkmd kept */
        POLICY_IS_PARTIAL,              /* some file is broken; what the others say */
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
FileFacts *policy_keeper_get_facts(const PolicyKeeper *k);
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
