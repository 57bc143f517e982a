/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libudev.h>
#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/devices/uevent.h"

/*
 * UdevWait: the devices that are not looked at before udev is through with them, since rules of the administrator do
 * something to them that matters to their drivers.
 */
typedef struct UdevWait UdevWait;

/* Do devices of this subsystem (NULL: not known) have to wait? */
typedef bool (*udev_wait_must_t)(const char *subsystem, void *userdata);

typedef struct UdevWaitOptions {
        sd_event *event;
        struct udev *udev;
        udev_wait_must_t must;
        device_seen_t look;             /* it waits no more, and udev sent no event that would say so */
        void *userdata;
        const char *udev_run_dir;       /* NULL: UDEV_RUN_DIR */
        uint64_t silence_usec, wait_usec, idle_usec, listen_usec, tick_usec; /* 0: what UDEV_* says */
} UdevWaitOptions;

int udev_wait_new(UdevWait **ret, const UdevWaitOptions *options);
UdevWait *udev_wait_free(UdevWait *w);
DEFINE_CLEANUP(UdevWait, udev_wait_free);

int udev_wait_event(UdevWait *w, const DeviceFacts *facts, const char *device);
int udev_wait_found(UdevWait *w, const DeviceFacts *facts, const char *device);
void udev_wait_answer(UdevWait *w, const DeviceFacts *facts, const char *device);
void udev_wait_rules_changed(UdevWait *w);

size_t udev_wait_count(const UdevWait *w);
