/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/devices/uevent.h"

/* Coldplug: a walk over the existing devices, as if each had just been announced. */
typedef struct Coldplug Coldplug;
typedef void (*coldplug_done_t)(size_t n_devices, void *userdata);

/* Does udev know properties of devices of this subsystem (NULL: not known) that matter? */
typedef bool (*coldplug_by_udev_t)(const char *subsystem, void *userdata);

int coldplug_new(Coldplug **ret, sd_event *event, struct udev *udev, device_seen_t seen,
                 coldplug_done_t done, void *userdata);
Coldplug *coldplug_free(Coldplug *c);
DEFINE_CLEANUP(Coldplug, coldplug_free);

int coldplug_start(Coldplug *c);
void coldplug_set_by_udev(Coldplug *c, coldplug_by_udev_t by_udev);
int coldplug_get_error(const Coldplug *c);
bool coldplug_is_running(const Coldplug *c);
