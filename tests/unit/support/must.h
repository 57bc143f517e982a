/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"

/* For what a test needs to go on, also where assertions of cmocka do not work, such as in threads. */

/* @what: named in the message, together with errno. */
static inline void must(bool ok, const char *what) {
        if (ok)
                return;
        perror(what);
        abort();
}

#define MUST(expression) must(expression, #expression)

/* @expression: negative errno on failure */
#define must_ok(expression)                                     \
        do {                                                    \
                int _must_r = (expression);                     \
                errno = _must_r < 0 ? -_must_r : 0;             \
                must(_must_r >= 0, #expression);                \
        } while (0)
