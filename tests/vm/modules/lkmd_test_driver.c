// SPDX-License-Identifier: LGPL-2.1-or-later
/* The driver of lkmd_test_device, to be found by the device's modalias. */
#include <linux/module.h>
#include <linux/platform_device.h>

static int lkmd_test_probe(struct platform_device *pdev) {
        return 0;
}

static struct platform_driver lkmd_test_driver = {
        .probe = lkmd_test_probe,
        .driver = { .name = "lkmd_test_device" },
};

module_platform_driver(lkmd_test_driver);
MODULE_ALIAS("platform:lkmd_test_device");
MODULE_DESCRIPTION("lkmd test: the driver of a device");
MODULE_LICENSE("GPL");
