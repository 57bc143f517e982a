/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/module/module-fault.h"
#include "common/plan/plan.h"

/*
 * OmissionText: the omissions of plans in words, and what they mean for the request; one table for lkmd and
 * lkmctl. A request that cannot succeed because of a refusal ends with io.lkmd.Manager.Denied and the exit status
 * of that error, else with LoadFailed. Fields of the templates: {module}; {is}, "is" or "would be"; {ruling} and
 * {place} of what decided; {chain}, the modules between it and the request; {reason} of the ruling; {key} of the
 * request; {remedy}, for a fault of its file.
 */
typedef enum OmissionRefusal {          /* the module is denied; else it does not exist */
        OMISSION_NO_REFUSAL,
        OMISSION_REFUSAL,
        OMISSION_REFUSAL_IF_RULED,      /* if a ruling of the policy is the cause */
} OmissionRefusal;

typedef struct OmissionText {
        OmissionRefusal refusal;
        const char *words;              /* after the name of the module, in a list */
        const char *before_place;       /* between @words and the place of the line that decided */
        bool says_reason;               /* @words say the same as the reason of the ruling */
        const char *sentence;           /* template: about a requested module */
        const char *end_of_chain;       /* template: after "it needs a, which needs b" */
        const char *message, *hint;     /* templates: why the request cannot succeed */
        bool of_softdep;                /* what another module wants by a softdep, on which nothing depends */
} OmissionText;

const OmissionText *omission_text(PlanOmissionKind kind);
bool omission_is_refusal(const PlanOmission *o);
/* The omission that best explains why the request cannot succeed; NULL: it can. */
const PlanOmission *plan_find_obstacle(const Plan *plan);
int explain_fault(const ModuleFault *fault, const char *module, char **ret_message, char **ret_hint);
int plan_explain_obstacle(const Plan *plan, const PlanOmission *obstacle, char **ret_message,
                          char **ret_hint);
