/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A module whose init has the kernel ask for another one, and succeeds only if that one is there then: what crypto,
 * network and sound drivers do. Included by modules that differ in nothing but their names. */
#include <linux/kmod.h>
#include <linux/module.h>

#include "lkmd_test_inner.h"

static int __init nested_init(void) {
        int r;

        r = request_module("lkmd_test_inner");
        if (r != 0)
                return r < 0 ? r : -ENOENT;
        if (!symbol_get(lkmd_test_inner_value))
                return -ENOENT;
        symbol_put(lkmd_test_inner_value);
        return 0;
}

static void __exit nested_exit(void) {}

module_init(nested_init);
module_exit(nested_exit);
MODULE_DESCRIPTION("lkmd test: has the kernel ask for lkmd_test_inner");
MODULE_LICENSE("GPL");
