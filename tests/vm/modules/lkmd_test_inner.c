// SPDX-License-Identifier: LGPL-2.1-or-later
/* What others need while it takes its time: init sleeps for as long as its parameter says, as in lkmd_test_slow. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>

#include "lkmd_test_inner.h"

static unsigned int ms;
module_param(ms, uint, 0644);
MODULE_PARM_DESC(ms, "how long init takes, in milliseconds");

int lkmd_test_inner_value(void) {
        return 42;
}
EXPORT_SYMBOL_GPL(lkmd_test_inner_value);

static int __init lkmd_test_inner_init(void) {
        unsigned long start = jiffies;

        while (time_before(jiffies, start + msecs_to_jiffies(READ_ONCE(ms))))
                msleep(20);
        return 0;
}

static void __exit lkmd_test_inner_exit(void) {}

module_init(lkmd_test_inner_init);
module_exit(lkmd_test_inner_exit);
MODULE_DESCRIPTION("lkmd test: what others need");
MODULE_LICENSE("GPL");
