/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/policy/policy-rule.h"

/* Whether those of @keys that the rule has all match: POLICY_KEYS_ALL, or POLICY_KEY_BIT() of each. */
bool policy_rule_matches(const PolicyRule *rule, PolicyQuestion *q, uint32_t keys);
/* The same, if those keys match which are not known: *ret_unknown. 0: the answer is definite. */
bool policy_rule_may_match(const PolicyRule *rule, PolicyQuestion *q, uint32_t keys, uint32_t *ret_unknown);

/* Whether the rule allows and names containers, so that it can allow something to one that asks. */
bool policy_rule_opens_containers(const PolicyRule *rule);

/* Whether the rule has a key of the module itself. */
bool policy_rule_is_of_module(const PolicyRule *rule);
