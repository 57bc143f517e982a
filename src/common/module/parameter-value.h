/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* ParameterValue: values of parameters as they are configured, and as the kernel shows them in /sys/module. */

typedef enum ParameterMatch {
        PARAMETER_EQUAL,
        PARAMETER_DIFFERENT,
        PARAMETER_INCOMPARABLE,         /* its type is not known, and it is written otherwise */
        _PARAMETER_MATCH_MAX,
} ParameterMatch;

bool parameter_name_equal(const char *assignment, const char *name);
const char *parameter_type_of(char *const *types, const char *assignment);
ParameterMatch parameter_compare(const char *type, const char *assignment, const char *live);
