/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * HandoverDevices: finds the devices that nobody handled when lkmd ended or stepped back. udev ignored the events
 * of devices while lkmd was in charge, and lkmd may not have processed them. The kernel is asked to send an event
 * once more, for udev.
 *
 * That is done only for devices without a driver for which there is a module that is not loaded and not denied.
 * What the policy denies stays out this way too (denied-file.c), and modules that are loaded have probed the device
 * already.
 */

#include "daemon/privileged/handover/handover-devices.h"

#include <libkmod.h>
#include <libudev.h>
#include <syslog.h>

#include "common/base/util.h"

static inline void kmod_unrefp(struct kmod_ctx **ctx) {
        if (*ctx)
                (void) kmod_unref(*ctx);
}

static inline void kmod_listp(struct kmod_list **list) {
        (void) kmod_module_unref_list(*list);
}

static inline void udev_unrefp(struct udev **udev) {
        if (*udev)
                (void) udev_unref(*udev);
}

static inline void udev_enumerate_unrefp(struct udev_enumerate **enumerate) {
        if (*enumerate)
                (void) udev_enumerate_unref(*enumerate);
}

static bool is_in_kernel(struct kmod_module *module) {
        int state = kmod_module_get_initstate(module);

        return state == KMOD_MODULE_BUILTIN || state == KMOD_MODULE_LIVE || state == KMOD_MODULE_COMING;
}

/* Would modprobe -b load something for this alias? True if that is not known. */
static bool has_module_to_load(struct kmod_ctx *ctx, const char *modalias) {
        _cleanup_(kmod_listp) struct kmod_list *all = NULL, *allowed = NULL;
        struct kmod_list *item;
        bool found = false;

        if (!ctx || kmod_module_new_from_lookup(ctx, modalias, &all) < 0 ||
            kmod_module_apply_filter(ctx, KMOD_FILTER_BLACKLIST, all, &allowed) < 0)
                return true;
        kmod_list_foreach(item, allowed) {
                struct kmod_module *module = kmod_module_get_module(item);

                found |= !is_in_kernel(module);
                (void) kmod_module_unref(module);
        }
        return found;
}

static void look_at(struct kmod_ctx *ctx, struct udev_device *device) {
        const char *modalias = udev_device_get_property_value(device, "MODALIAS");

        if (modalias && !udev_device_get_driver(device) && has_module_to_load(ctx, modalias))
                (void) udev_device_set_sysattr_value(device, "uevent", "add");
}

/* Return: 0; -ENOMEM if the devices cannot be listed. */
int handover_announce_devices(void) {
        _cleanup_(udev_unrefp) struct udev *udev = udev_new();
        _cleanup_(udev_enumerate_unrefp) struct udev_enumerate *enumerate = udev ? udev_enumerate_new(udev) : NULL;
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = kmod_new(NULL, NULL);
        struct udev_list_entry *entry;

        if (!enumerate || udev_enumerate_scan_devices(enumerate) < 0)
                return -ENOMEM;
        if (ctx)
                kmod_set_log_priority(ctx, LOG_CRIT);

        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate)) {
                struct udev_device *device = udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));

                if (!device)
                        continue;
                look_at(ctx, device);
                (void) udev_device_unref(device);
        }
        return 0;
}
