// SPDX-License-Identifier: LGPL-2.1-or-later
/* A device that comes with this module and goes with it; lkmd_test_driver is its driver. */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static struct platform_device *device;

static int __init lkmd_test_device_init(void) {
        device = platform_device_register_simple("lkmd_test_device", PLATFORM_DEVID_NONE, NULL, 0);
        return PTR_ERR_OR_ZERO(device);
}

static void __exit lkmd_test_device_exit(void) {
        platform_device_unregister(device);
}

module_init(lkmd_test_device_init);
module_exit(lkmd_test_device_exit);
MODULE_DESCRIPTION("lkmd test: a device");
MODULE_LICENSE("GPL");
