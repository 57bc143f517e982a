/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/call/run.h"
#include "common/base/util.h"
#include "common/policy-files/policy-sources.h"

/*
 * PolicyReview: a draft of one file of the policy, looked at as part of the whole: mistakes, rules that do not do what
 * they look like, and what would be refused or allowed on this machine that is not now.
 */
typedef struct PolicyReview PolicyReview;

int policy_review_new(PolicyReview **ret, Run *run);
PolicyReview *policy_review_free(PolicyReview *v);
DEFINE_CLEANUP(PolicyReview, policy_review_free);

int policy_review_check(PolicyReview *v, const PolicyDraft *draft, PolicyFileKind kind);
int policy_review_show(PolicyReview *v, const PolicyDraft *draft);
int policy_review_add_json(const PolicyReview *v, const PolicyDraft *draft, sd_json_variant **object);
