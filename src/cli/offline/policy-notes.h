/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/kernel-requests.h"
#include "common/base/problem-list.h"

/* PolicyNotes: what is right in a policy, and yet not what its author may expect. Zeroed memory has none. */
typedef struct PolicyNotes {
        const Index *index; /* of the running kernel */
        KernelRequests *requests; /* NULL: it has no modules here */
        ProblemList list;
} PolicyNotes;

int policy_notes_begin(PolicyNotes *n);
int policy_notes_add(PolicyNotes *n, const Policy *policy);
void policy_notes_clear(PolicyNotes *n);
