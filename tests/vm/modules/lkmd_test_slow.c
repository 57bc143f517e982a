// SPDX-License-Identifier: LGPL-2.1-or-later
/* A driver whose probe takes its time: init sleeps, uninterruptibly, for as long as its parameter says. */
#include <linux/delay.h>
#include <linux/module.h>

static unsigned int ms = 1000;
module_param(ms, uint, 0444);
MODULE_PARM_DESC(ms, "how long init takes, in milliseconds");

static int __init lkmd_test_slow_init(void) {
        msleep(ms);
        return 0;
}

static void __exit lkmd_test_slow_exit(void) {}

module_init(lkmd_test_slow_init);
module_exit(lkmd_test_slow_exit);
MODULE_DESCRIPTION("lkmd test: slow to initialise");
MODULE_LICENSE("GPL");
