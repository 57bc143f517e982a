/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The names of the values of an enum: an array, indexed by value. */

#include "common/base/util.h"

static inline const char *enum_name(const char *const *names, size_t n, int value) {
        return value >= 0 && (size_t) value < n ? names[value] : NULL;
}

static inline int enum_value(const char *const *names, size_t n, const char *name) {
        for (size_t i = 0; name && i < n; i++)
                if (names[i] && streq(names[i], name))
                        return (int) i;
        return -EINVAL;
}

#define ENUM_NAME(names, value) \
        enum_name((names), ARRAY_LEN(names), (int) (value)) /* NULL: the value has none */
#define ENUM_VALUE(names, name) enum_value((names), ARRAY_LEN(names), (name)) /* -EINVAL: no value has it */
