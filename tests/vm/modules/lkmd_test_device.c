// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A device that comes with this module and goes with it; lkmd_test_driver is its driver. With supplier=1 there is a
 * second one, lkmd_test_supplier, which it depends on, and for which there is no driver.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static bool supplier;
module_param(supplier, bool, 0444);
MODULE_PARM_DESC(supplier, "the device depends on another one, which has no driver");

static struct platform_device *device, *supplying;

static int __init lkmd_test_device_init(void) {
        if (supplier) {
                supplying = platform_device_register_simple("lkmd_test_supplier", PLATFORM_DEVID_NONE, NULL,
                                                            0);
                if (IS_ERR(supplying))
                        return PTR_ERR(supplying);
        }
        device = platform_device_register_simple("lkmd_test_device", PLATFORM_DEVID_NONE, NULL, 0);
        if (IS_ERR(device)) {
                platform_device_unregister(supplying);
                return PTR_ERR(device);
        }
        if (supplying)
                (void) device_link_add(&device->dev, &supplying->dev, DL_FLAG_AUTOREMOVE_CONSUMER);
        return 0;
}

static void __exit lkmd_test_device_exit(void) {
        platform_device_unregister(device);
        platform_device_unregister(supplying);
}

module_init(lkmd_test_device_init);
module_exit(lkmd_test_device_exit);
MODULE_DESCRIPTION("lkmd test: a device");
MODULE_LICENSE("GPL");
