/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/run.h"
#include "common/base/problem-list.h"
#include "common/module/file-facts.h"
#include "common/plan/plan.h"
#include "common/policy-files/policy-sources.h"
#include "common/policy/policy.h"

/*
 * OfflinePolicy: the policy of this machine, or of --policy, as lkmd would apply it. A plain structure.
 */
typedef struct OfflinePolicy {
        FileFacts *facts;
        Policy *policy;
        bool broken; /* a file could not be used, which has been reported */
        bool blacklist_denies, compat_kmod; /* Blacklist= and Compat= of lkmd.conf */
        bool unknown_parameters_pass; /* UnknownParameters=warn */
        bool kept_out_of_initramfs; /* InInitramfs=no */
        uint64_t now_usec; /* CLOCK_REALTIME, the same for all questions */
} OfflinePolicy;

/* Return: 0; an ExitStatus, after reporting why; negative errno. */
int offline_policy(Run *run, OfflinePolicy *ret, ProblemList *ret_problems);
int offline_policy_read(const char *const *paths, bool trusted_only, OfflinePolicy *ret,
                        ProblemList *problems);
int offline_policy_read_lasting(OfflinePolicy *ret, ProblemList *problems);
int offline_policy_read_draft(const PolicyDraft *draft, OfflinePolicy *ret, ProblemList *problems);
int offline_settings_check(ProblemList *problems); /* adds what is wrong with lkmd.conf */
void offline_policy_done(OfflinePolicy *p);

void offline_policy_complete(PolicyRequester *requester, const char *key, bool is_device);
PlanMode offline_policy_mode(RequestOrigin origin);
PlanRequest offline_policy_request(const OfflinePolicy *p, const PolicyRequester *requester, PlanMode mode);
