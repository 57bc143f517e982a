/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"

/* DeviceNames: what people call devices, by the hardware database of udev and by what devices say of themselves. */
typedef struct DeviceNames DeviceNames;

int device_names_new(DeviceNames **ret, const char *hwdb_path);
DeviceNames *device_names_free(DeviceNames *n);
DEFINE_CLEANUP(DeviceNames, device_names_free);

int device_names_get(const DeviceNames *n, const char *syspath, char **ret);

/* The same for one device. */
int device_name_new(const char *syspath, char **ret);
