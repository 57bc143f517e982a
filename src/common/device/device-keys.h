/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* What a uevent, or a device found in /sys, says of itself. NULL: it does not say. Bytes, of any length. */
typedef struct DeviceFacts {
        const char *action;             /* ACTION; "add" for a device that was there already */
        const char *subsystem;          /* SUBSYSTEM */
        const char *driver;             /* DRIVER: that it has already */
        const char *sysname;            /* last part of DEVPATH, '!' as '/' */
        const char *modalias;           /* MODALIAS */
        const char *tifm_card_type;     /* TIFM_CARD_TYPE */
        const char *mtd_ftl;            /* MTD_FTL; a property of udev's, the kernel never sends it */
} DeviceFacts;

#define DEVICE_KEYS_MAX 4U

size_t device_keys(const DeviceFacts *facts, const char *ret[static DEVICE_KEYS_MAX]);
