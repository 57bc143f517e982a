/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libudev.h>
#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "common/device/device-facts.h"

/* Uevent: receives the uevents of the kernel, and those of udev for some subsystems. */
typedef struct Uevent Uevent;

/* @device: path below /sys; everything is borrowed for the call only. */
typedef void (*device_seen_t)(const DeviceFacts *facts, const char *device, void *userdata);

typedef enum UeventLoss {
        UEVENT_OVERFLOW,                /* the buffer was full */
        UEVENT_GAP,                     /* sequence numbers did not come */
} UeventLoss;

/* @n_missing: how many; 0: not known. */
typedef void (*uevent_lost_t)(UeventLoss loss, uint64_t n_missing, void *userdata);

typedef struct UeventOptions {
        sd_event *event;
        struct udev *udev;
        size_t receive_buffer_bytes;    /* setting it takes CAP_NET_ADMIN beyond net.core.rmem_max */
        device_seen_t seen;             /* an event of the kernel */
        device_seen_t answered;         /* an event of udev's, with the properties that udev has added */
        uevent_lost_t lost;             /* events were lost: walk over /sys */
        void *userdata;
} UeventOptions;

int uevent_new(Uevent **ret, const UeventOptions *options);
Uevent *uevent_free(Uevent *u);
DEFINE_CLEANUP(Uevent, uevent_free);

int uevent_listen_to_udev(Uevent *u, char *const *subsystems);

void uevent_get_facts(struct udev_device *device, const char *action, DeviceFacts *ret);
