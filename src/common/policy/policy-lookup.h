/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/util.h"
#include "common/policy/policy-rule.h"

/* PolicyLookup: finds the rules that may match a module, in their order. Immutable. */
typedef struct PolicyLookup PolicyLookup;
typedef struct PolicyLiteral PolicyLiteral;

/* @rules: in order; borrowed until policy_lookup_free(). Return: 0; -ENOMEM. */
int policy_lookup_new(PolicyLookup **ret, const PolicyRule *const *rules, size_t n_rules);
PolicyLookup *policy_lookup_free(PolicyLookup *l);
DEFINE_CLEANUP(PolicyLookup, policy_lookup_free);

/* An iterator over the rules for one module; allocates nothing. */
typedef struct PolicyWalk {
        const PolicyLookup *lookup;
        const PolicyLiteral *literal, *literals_end;
        const uint32_t *initial, *initials_end, *other, *others_end;
} PolicyWalk;

void policy_walk_begin(PolicyWalk *ret, const PolicyLookup *l, const char *module);
const PolicyRule *policy_walk_next(PolicyWalk *w); /* NULL: no more rules */
