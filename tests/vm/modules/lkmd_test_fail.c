// SPDX-License-Identifier: LGPL-2.1-or-later
#include <linux/module.h>

static int error = ENODEV;
module_param(error, int, 0444);
MODULE_PARM_DESC(error, "errno that init returns; 0: it succeeds");

static int __init lkmd_test_fail_init(void) {
        return error > 0 ? -error : 0;
}

static void __exit lkmd_test_fail_exit(void) {}

module_init(lkmd_test_fail_init);
module_exit(lkmd_test_fail_exit);
MODULE_DESCRIPTION("lkmd test: init fails");
MODULE_LICENSE("GPL");
