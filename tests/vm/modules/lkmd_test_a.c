// SPDX-License-Identifier: LGPL-2.1-or-later
/* Head of a chain of dependencies: lkmd_test_a needs lkmd_test_b, which needs lkmd_test_c. */
#include <linux/module.h>

#include "lkmd_test_chain.h"

static int __init lkmd_test_a_init(void) {
        return lkmd_test_b_value() == 3 ? 0 : -EINVAL;
}

static void __exit lkmd_test_a_exit(void) {}

module_init(lkmd_test_a_init);
module_exit(lkmd_test_a_exit);
MODULE_DESCRIPTION("lkmd test: needs lkmd_test_b");
MODULE_ALIAS("lkmd-test-alias-*");
MODULE_LICENSE("GPL");
