// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/module.h>

int lkmd_test_no_such_symbol(void);

static int __init lkmd_test_unresolved_init(void) {
        return lkmd_test_no_such_symbol();
}

static void __exit lkmd_test_unresolved_exit(void) {}

module_init(lkmd_test_unresolved_init);
module_exit(lkmd_test_unresolved_exit);
MODULE_DESCRIPTION("lkmd test: needs a symbol that no kernel has");
MODULE_LICENSE("GPL");
