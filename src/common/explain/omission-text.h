/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/plan/plan.h"

/*
 * OmissionText: what a plan leaves out, in words and in what it means for the request; one table for lkmd and lkmctl.
 * A request that cannot succeed because of a refusal ends with io.lkmd.Manager.Denied and the exit status for that,
 * else with LoadFailed. The fields of the templates: {module} that is left out, {is} ("is" or "would be"), {ruling} and
 * {place} of the line that decided, {chain} of modules between it and the request, {reason} of the ruling, {key} that
 * was asked for.
 */
typedef enum OmissionRefusal {          /* is it denied? Else it is not there */
        OMISSION_NO_REFUSAL,
        OMISSION_REFUSAL,
        OMISSION_REFUSAL_IF_RULED,      /* if the policy decided it */
} OmissionRefusal;

typedef struct OmissionText {
        OmissionRefusal refusal;
        const char *words;              /* behind the module's name, in a list */
        const char *before_place;       /* between them and the line that decided */
        bool says_reason;               /* the words do: no need for that of the ruling */
        const char *sentence;           /* template: of something that was asked for */
        const char *end_of_chain;       /* template: "it needs a, which needs b" .. */
        const char *message, *hint;     /* templates: the request cannot succeed because of it */
        bool of_softdep;                /* harmless: nothing depends on it */
} OmissionText;

const OmissionText *omission_text(PlanOmissionKind kind);
bool omission_is_refusal(const PlanOmission *o);
/* The one that says most of why the request cannot succeed; NULL: it can. */
const PlanOmission *plan_find_obstacle(const Plan *plan);
int plan_explain_obstacle(const Plan *plan, const PlanOmission *obstacle, char **ret_message,
                          char **ret_hint);
