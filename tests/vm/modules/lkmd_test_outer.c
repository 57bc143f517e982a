// SPDX-License-Identifier: LGPL-2.1-or-later
/* Needs lkmd_test_inner by its symbol, as modules.dep knows it. */
#include <linux/module.h>

#include "lkmd_test_inner.h"

static int __init lkmd_test_outer_init(void) {
        return lkmd_test_inner_value() == 42 ? 0 : -EINVAL;
}

static void __exit lkmd_test_outer_exit(void) {}

module_init(lkmd_test_outer_init);
module_exit(lkmd_test_outer_exit);
MODULE_DESCRIPTION("lkmd test: needs lkmd_test_inner");
MODULE_LICENSE("GPL");
