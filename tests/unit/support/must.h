/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"

/* What a test cannot go on without, also where cmocka's assertions do not work: in threads, and in what tests share. */

/* @what: named in the message, together with errno. */
static inline void must(bool ok, const char *what) {
        if (ok)
                return;
        perror(what);
        abort();
}

/* @expression: negative errno on failure */
#define must_ok(expression)                                     \
        do {                                                    \
                int _must_r = (expression);                     \
                errno = _must_r < 0 ? -_must_r : 0;             \
                must(_must_r >= 0, #expression);                \
        } while (0)
