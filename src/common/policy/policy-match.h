/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/policy/policy-rule.h"

/* Do all keys that a rule has match? @request_only: those about the module itself are not looked at. */
bool policy_rule_matches(const PolicyRule *rule, PolicyQuestion *q, bool request_only);

/* Does the rule say anything of the module itself? */
bool policy_rule_is_of_module(const PolicyRule *rule);
