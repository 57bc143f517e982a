// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A module that wants its device to be there already, as those do that look for it in their init: without
 * lkmd_test_device it fails with ENODEV. It has no alias of its own.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static int __init lkmd_test_late_init(void) {
        struct device *device = bus_find_device_by_name(&platform_bus_type, NULL, "lkmd_test_device");

        if (!device)
                return -ENODEV;
        put_device(device);
        return 0;
}

static void __exit lkmd_test_late_exit(void) {}

module_init(lkmd_test_late_init);
module_exit(lkmd_test_late_exit);
MODULE_DESCRIPTION("lkmd test: its device has to be there");
MODULE_LICENSE("GPL");
