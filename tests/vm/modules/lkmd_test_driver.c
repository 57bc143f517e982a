// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The driver of lkmd_test_device, to be found by the device's modalias. Its probe goes on for as long as it is
 * told to hold (/sys/module/lkmd_test_driver/parameters/hold), and ends with the error that is given.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static bool hold;
module_param(hold, bool, 0644);
MODULE_PARM_DESC(hold, "do not return from probe while this is true");

static unsigned int error;
module_param(error, uint, 0444);
MODULE_PARM_DESC(error, "errno of probe");

static int lkmd_test_probe(struct platform_device *pdev) {
        while (READ_ONCE(hold))
                msleep(10);
        return -(int) error;
}

static struct platform_driver lkmd_test_driver = {
        .probe = lkmd_test_probe,
        .driver = { .name = "lkmd_test_device" },
};

module_platform_driver(lkmd_test_driver);
MODULE_ALIAS("platform:lkmd_test_device");
MODULE_DESCRIPTION("lkmd test: the driver of a device");
MODULE_LICENSE("GPL");
