/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * DeviceFacts: the properties of a uevent, or of a device in /sys. NULL: it does not have it. Bytes, of any
 * length. A new property is a member here and a row in properties[] of device-facts.c.
 */
typedef struct DeviceFacts {
        const char *action;             /* ACTION; "add" for a device that was there already */
        const char *subsystem;          /* SUBSYSTEM */
        const char *sysname;            /* last part of DEVPATH, '!' as '/' */
        const char *driver;             /* DRIVER: the one that it has */
        const char *modalias;           /* MODALIAS */
        const char *tifm_card_type;     /* TIFM_CARD_TYPE */
        const char *mtd_ftl;            /* MTD_FTL: set by udev, the kernel never sends it */
} DeviceFacts;

/* Return: the value of a property; NULL: it is not there. */
typedef const char *(*device_property_t)(const char *key, void *userdata);

void device_facts_collect(DeviceFacts *facts, device_property_t get, void *userdata);
void device_facts_parse(DeviceFacts *facts, char *text, size_t size);
bool device_facts_equal(const DeviceFacts *a, const DeviceFacts *b);
size_t device_facts_size(const DeviceFacts *facts);
void device_facts_copy(DeviceFacts *ret, const DeviceFacts *facts, char *memory);

#define DEVICE_UEVENT_MAX 4096U         /* bytes: a page; the kernel's own limit is 2048, UEVENT_BUFFER_SIZE */

/* The facts of a device in /sys, and their memory. Do not copy it: the facts point into it. */
typedef struct DeviceUevent {
        char text[DEVICE_UEVENT_MAX], subsystem[NAME_MAX + 1], sysname[NAME_MAX + 1];
        DeviceFacts facts;
} DeviceUevent;

int device_uevent_read(DeviceUevent *ret, const char *syspath);
