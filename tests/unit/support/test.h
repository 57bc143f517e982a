/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* cmocka with what it wants included before it, and a runner that speaks TAP to meson. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef assert_in_range                  /* deprecated since cmocka 2 */

#define assert_ok(expr)                                                                                 \
        do {                                                                                            \
                int _r = (expr);                                                                        \
                if (_r < 0)                                                                             \
                        fail_msg("%s: %s", #expr, strerror(-_r));                                       \
        } while (0)

#define RUN_TESTS(tests)                                                                                \
        ({                                                                                              \
                cmocka_set_message_output(CM_OUTPUT_TAP);                                               \
                cmocka_run_group_tests(tests, NULL, NULL);                                              \
        })
