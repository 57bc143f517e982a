/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/limits.h"
#include "common/base/util.h"
#include "common/policy/gate-reach.h"
#include "common/policy/policy.h"

/* GateRules: the rules that can make a difference to the gate, in order, and the classes of users that they make. */
typedef struct GateRule {
        const PolicyRule *rule;
        uint32_t sure,
                may; /* classes that it matches, and that it may match: a bit for each; until they are known, 1: all */
} GateRule;

typedef struct GateRules {
        GateRule *items;
        size_t n_items;
        size_t n_patterns;              /* of all their aliases and modaliases */
        bool refuses_rest;              /* what no rule decides */
        uint32_t all;                   /* classes */
} GateRules;

typedef struct GateClasses {            /* of users: class i has those from uid_starts[i] to before the next */
        uint32_t uid_starts[GATE_CLASSES_MAX];
        size_t n;
} GateClasses;

typedef struct GateDecision {
        uint32_t refused;               /* classes: a bit for each */
        const PolicyRule *rule;         /* that refuses the first of them; NULL: the default, or none is refused */
} GateDecision;

/* How much of what is decided upon a rule matches, its users apart. */
typedef GateReach (*gate_reach_t)(const PolicyRule *rule, const void *what);

int gate_rules_init(GateRules *r, const Policy *policy, PolicyScope scope, uint64_t now_usec);
void gate_rules_clear(GateRules *r);
int gate_classes_init(GateClasses *c, const GateRules *rules, size_t n_rules);
void gate_rules_classify(GateRules *r, const GateClasses *classes);
GateDecision gate_rules_decide(const GateRules *r, gate_reach_t reach, const void *what);
