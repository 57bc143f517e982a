/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/string-arena.h"
#include "common/policy/policy-rule.h"

/*
 * PolicyPattern: the values of the keys of "match:", as they are written. @ret_problem: with -EINVAL, a static
 * text that says what is wrong, part of a sentence.
 */
int policy_pattern_parse(PolicyPattern *ret, PolicyKey key, const char *text, StringArena *strings,
                         const char **ret_problem);

/* The name of one module, normalised. Errors as above. */
int policy_module_parse(const char **ret, const char *text, StringArena *strings, const char **ret_problem);

/* Return: NULL, with the value in *ret; else a static text that says what was expected. */
const char *policy_boolean_parse(bool *ret, const char *text);
