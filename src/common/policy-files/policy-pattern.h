/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/string-arena.h"
#include "common/policy/policy-rule.h"

/*
 * One value of a key of match:, as it is written. @ret_problem, with -EINVAL: what is wrong with it, a part
 * of a sentence; static.
 */
int policy_pattern_parse(PolicyPattern *ret, PolicyKey key, const char *text, StringArena *strings,
                         const char **ret_problem);

/* The name of one module, normalised. Errors as above. */
int policy_module_parse(const char **ret, const char *text, StringArena *strings, const char **ret_problem);

/* NULL: @text is a boolean's word, and *ret its value; else what was expected. */
const char *policy_boolean_parse(bool *ret, const char *text);
