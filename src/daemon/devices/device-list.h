/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* DeviceList: the paths of all devices at one moment, each once, parents before their children. */
typedef struct DeviceList {
        char **paths;                   /* absolute, below the /sys that was read */
        size_t n_paths, n_allocated;
} DeviceList;

int device_list_read(DeviceList *ret, const char *sys);
void device_list_clear(DeviceList *l);
