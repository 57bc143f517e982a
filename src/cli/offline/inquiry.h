/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/offline/offline-policy.h"
#include "common/index/index.h"
#include "common/plan/plan.h"

/*
 * Inquiry: one request put to the policy, with all that was met on the way. Owns what it says but for the
 * strings of rulings, which are those of the policy and the index.
 */

typedef struct Meeting {
        char *module;
        PolicyPart part;
        PolicyMeeting how;
        PolicyRuling what;
} Meeting;

typedef struct Inquiry {
        RequestOrigin origin;
        PlanMode mode;
        Plan *plan;
        Plan *enforced;                 /* if nothing were in audit mode; NULL: it would be the same */
        Plan *modprobe;                 /* what modprobe of kmod would do */
        Meeting *met;                   /* those of one module and part behind each other, in order */
        size_t n_met;
} Inquiry;

int inquiry_new(Inquiry **ret, Index *index, const OfflinePolicy *policy, const char *key,
                const PolicyRequester *requester);
Inquiry *inquiry_free(Inquiry *q);
DEFINE_CLEANUP(Inquiry, inquiry_free);

bool inquiry_says_the_same(const Inquiry *a, const Inquiry *b);
size_t inquiry_group_end(const Inquiry *q, size_t i);
const Meeting *inquiry_winner(const Inquiry *q, size_t first, size_t end);

void print_ruling_name(FILE *f, const PolicyRuling *what);
void print_ruling_place(FILE *f, const PolicyRuling *what);
const char *meeting_words(PolicyMeeting how);
void inquiry_print_sentences(const Inquiry *q, FILE *f, const char *indent);
int inquiry_to_json(const Inquiry *q, sd_json_variant **ret);
