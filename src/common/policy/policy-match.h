/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/policy/policy-rule.h"

/* Whether all keys of the rule match. @request_only: keys of the module itself are ignored. */
bool policy_rule_matches(const PolicyRule *rule, PolicyQuestion *q, bool request_only);

/* Whether the rule has a key of the module itself. */
bool policy_rule_is_of_module(const PolicyRule *rule);
