/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/offline/offline-policy.h"
#include "cli/offline/socket-answer.h"
#include "cli/offline/trace.h"
#include "common/index/index.h"
#include "common/plan/plan.h"

/*
 * Explanation: what one request results in, with the trace of the policy. Owns everything but the strings of rulings,
 * which belong to the policy and the index.
 */

typedef struct Explanation {
        RequestOrigin origin;
        PlanMode mode;
        Plan *plan;
        Plan *enforced;                 /* if nothing were in audit mode; NULL: the same */
        Plan *modprobe;                 /* what modprobe of kmod would do */
        Trace trace;
        SocketAnswer socket;            /* of the kernel's requests: whether there may be a socket at all */
} Explanation;

int explanation_new(Explanation **ret, const Index *index, const OfflinePolicy *policy, const char *key,
                    const PolicyRequester *requester);
Explanation *explanation_free(Explanation *q);
DEFINE_CLEANUP(Explanation, explanation_free);

bool explanation_says_the_same(const Explanation *a, const Explanation *b);
void explanation_print_sentences(const Explanation *q, FILE *f, const char *indent);
int explanation_to_json(const Explanation *q, sd_json_variant **ret);
