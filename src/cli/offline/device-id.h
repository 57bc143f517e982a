/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "cli/offline/device.h"

/* DeviceList: the devices that an argument means, in the order of their paths. Owns them. */
typedef struct DeviceList {
        Device **items;
        size_t n_items;
} DeviceList;

int device_list_add(DeviceList *l, Device *d);
void device_list_clear(DeviceList *l);

/* VENDOR:DEVICE as lspci -n and lsusb print it, such as "8086:10d3" */
bool device_id_is(const char *argument);
int device_id_find(const char *argument, DeviceList *ret);
/* Of a USB device, which has no driver's modalias itself. */
int device_interfaces(const Device *d, DeviceList *ret);
