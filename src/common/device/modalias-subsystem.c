/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModaliasSubsystem: a modalias begins with the kind of its device, which mostly is the name of the bus, and a device
 * on a bus has that as its SUBSYSTEM. "acpi:" and "of:" are not here: a device that the firmware describes has such a
 * modalias on whatever bus it is (platform, i2c, spi, serial, mdio_bus). Nor is "xen:", which two buses have. Owns
 * nothing.
 */

#include "common/device/modalias-subsystem.h"

#include <assert.h>
#include <stddef.h>

#include "common/base/util.h"

/* Of file2alias.c and of the uevent functions of the buses in kernel 6.12. NULL: it is called as its kind. */
static const struct {
        const char *kind, *subsystem;
} table[] = {
        { "amba", NULL },
        { "ap", NULL },
        { "auxiliary", NULL },
        { "bcma", NULL },
        { "ccw", NULL },
        { "cpu", NULL },
        { "css", NULL },
        { "dax", NULL },
        { "dfl", NULL },
        { "dmi", NULL },
        { "eisa", NULL },
        { "fsl-mc", NULL },
        { "gameport", NULL },
        { "hdaudio", NULL },
        { "hid", NULL },
        { "i2c", NULL },
        { "ieee1394", "firewire" },
        { "input", NULL },
        { "ipack", NULL },
        { "ishtp", NULL },
        { "mei", NULL },
        { "mhi", NULL },
        { "mmc", NULL },
        { "pci", NULL },
        { "pcmcia", NULL },
        { "platform", NULL },
        { "rapidio", NULL },
        { "rpmsg", NULL },
        { "scsi", NULL },
        { "sdio", NULL },
        { "sdw", "soundwire" },
        { "serio", NULL },
        { "slim", "slimbus" },
        { "spi", NULL },
        { "ssb", NULL },
        { "tbsvc", "thunderbolt" },
        { "typec", NULL },
        { "usb", NULL },
        { "vio", NULL },
        { "virtio", NULL },
        { "vmbus", NULL },
        { "wmi", NULL },
};

const char *modalias_subsystem(const char *modalias) {
        size_t n;

        assert(modalias);

        n = strcspn(modalias, ":");
        for (size_t i = 0; modalias[n] == ':' && i < ARRAY_LEN(table); i++)
                if (strlen(table[i].kind) == n && strncmp(table[i].kind, modalias, n) == 0)
                        return table[i].subsystem ?: table[i].kind;
        return NULL;
}
