// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The driver of lkmd_test_device, to be found by the device's modalias. Its probe goes on for as long as it is
 * told to hold (/sys/module/lkmd_test_driver/parameters/hold), and ends with the error that is given, or that of a
 * firmware file which is not there.
 */
#include <linux/delay.h>
#include <linux/firmware.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static bool hold;
module_param(hold, bool, 0644);
MODULE_PARM_DESC(hold, "do not return from probe while this is true");

static unsigned int error;
module_param(error, uint, 0444);
MODULE_PARM_DESC(error, "errno of probe");

static char *firmware = "";
module_param(firmware, charp, 0444);
MODULE_PARM_DESC(firmware, "name of a firmware file that probe asks for");

static int lkmd_test_probe(struct platform_device *pdev) {
        const struct firmware *file;
        int r;

        while (READ_ONCE(hold))
                msleep(10);
        if (firmware[0] != '\0') {
                r = request_firmware(&file, firmware, &pdev->dev);
                if (r < 0)
                        return r;
                release_firmware(file);
        }
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
