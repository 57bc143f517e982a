// SPDX-License-Identifier: LGPL-2.1-or-later
/* A driver whose probe takes its time: init sleeps, uninterruptibly, for as long as its parameter says, and may fail
 * then. Who writes another value meanwhile, by way of /sys/module, has it end sooner or later. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>

static unsigned int ms = 1000;
module_param(ms, uint, 0644);
MODULE_PARM_DESC(ms, "how long init takes, in milliseconds");

static int error;
module_param(error, int, 0444);
MODULE_PARM_DESC(error, "errno that init returns in the end; 0: it succeeds");

static int __init lkmd_test_slow_init(void) {
        unsigned long start = jiffies;

        while (time_before(jiffies, start + msecs_to_jiffies(READ_ONCE(ms))))
                msleep(20);
        return -error;
}

static void __exit lkmd_test_slow_exit(void) {}

module_init(lkmd_test_slow_init);
module_exit(lkmd_test_slow_exit);
MODULE_DESCRIPTION("lkmd test: slow to initialise");
MODULE_LICENSE("GPL");
