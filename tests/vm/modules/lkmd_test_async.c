// SPDX-License-Identifier: LGPL-2.1-or-later
/* A driver whose devices are probed in the background: init returns at once, and the kernel lets no load of any
 * module return before what it has begun is over, for as long as its parameter says. Who writes another value
 * meanwhile, by way of /sys/module, has it end sooner or later. */
#include <linux/async.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>

static unsigned int ms = 1000;
module_param(ms, uint, 0644);
MODULE_PARM_DESC(ms, "how long the work in the background takes, in milliseconds");

static void lkmd_test_async_probe(void *data, async_cookie_t cookie) {
        unsigned long start = jiffies;

        while (time_before(jiffies, start + msecs_to_jiffies(READ_ONCE(ms))))
                msleep(20);
}

static int __init lkmd_test_async_init(void) {
        async_schedule(lkmd_test_async_probe, NULL);
        return 0;
}

static void __exit lkmd_test_async_exit(void) {
        async_synchronize_full();
}

module_init(lkmd_test_async_init);
module_exit(lkmd_test_async_exit);
MODULE_DESCRIPTION("lkmd test: probes in the background");
MODULE_LICENSE("GPL");
