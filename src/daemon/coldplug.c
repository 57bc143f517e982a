/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Coldplug: libudev's list of the devices in /sys, looked at in slices so that the loop stays live. Owns the
 * list of the walk under way. A device that vanishes meanwhile is left out; one that appears announces
 * itself.
 */

#include "daemon/coldplug.h"

#include <assert.h>

#include "daemon/log.h"

#define DEVICES_AT_ONCE 32U

struct Coldplug {
        struct udev *udev;
        sd_event_source *source;
        struct udev_enumerate *enumerate;
        struct udev_list_entry *next;   /* borrowed from enumerate */
        bool subsystems;                /* the second half of the walk */
        bool again;                     /* asked for while it was running */
        size_t n_devices;
        device_seen_t seen;
        coldplug_done_t done;
        void *userdata;
};

static void look_at(Coldplug *c, const char *syspath) {
        struct udev_device *device = udev_device_new_from_syspath(c->udev, syspath);
        const char *path;

        if (!device)
                return;                 /* gone since the list was made */
        path = udev_device_get_devpath(device);
        if (path) {
                DeviceFacts facts;

                device_facts_read(device, "add", &facts);
                c->seen(&facts, path, c->userdata);
                c->n_devices++;
        }
        (void) udev_device_unref(device);
}

/*
 * libudev lists devices and "subsystems", where modules belong for it, apart. udev's rule looks at both
 * (parport_pc).
 */
static int scan(Coldplug *c, bool subsystems) {
        int r;

        if (c->enumerate)
                (void) udev_enumerate_unref(c->enumerate);
        c->subsystems = subsystems;
        c->enumerate = udev_enumerate_new(c->udev);
        if (!c->enumerate)
                return -ENOMEM;
        r = subsystems ? udev_enumerate_scan_subsystems(c->enumerate)
                       : udev_enumerate_scan_devices(c->enumerate);
        if (r < 0)
                log_warning("cannot list all of /sys: %s", strerror(-r));
        c->next = udev_enumerate_get_list_entry(c->enumerate);
        return 0;
}

static void coldplug_finish(Coldplug *c) {
        size_t n = c->n_devices;

        if (!c->subsystems && scan(c, /* subsystems= */ true) >= 0)
                return;
        if (c->enumerate)
                c->enumerate = udev_enumerate_unref(c->enumerate);
        if (c->again && coldplug_start(c) >= 0)
                return;
        (void) sd_event_source_set_enabled(c->source, SD_EVENT_OFF);
        c->done(n, c->userdata);
}

static int on_slice(sd_event_source *source, void *userdata) {
        Coldplug *c = userdata;

        for (unsigned i = 0; i < DEVICES_AT_ONCE && c->next; i++) {
                look_at(c, udev_list_entry_get_name(c->next));
                c->next = udev_list_entry_get_next(c->next);
        }
        if (!c->next)
                coldplug_finish(c);
        return 0;
}

/**
 * coldplug_new() - nothing is looked at before coldplug_start()
 * @seen: called for each device, its action being "add"
 * @done: called at the end of a walk
 *
 * Return: 0, -ENOMEM or what sd_event_add_defer(3) says.
 */
int coldplug_new(Coldplug **ret, sd_event *event, struct udev *udev, device_seen_t seen,
                 coldplug_done_t done, void *userdata) {
        _cleanup_(coldplug_freep) Coldplug *c = NULL;
        int r;

        assert(ret && event && udev && seen && done);

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        *c = (Coldplug) { .udev = udev_ref(udev), .seen = seen, .done = done, .userdata = userdata };

        r = sd_event_add_defer(event, &c->source, on_slice, c);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(c->source, "coldplug");
        /* as urgent as events: they take turns, so that a storm of them does not keep the walk from its end */
        r = sd_event_source_set_enabled(c->source, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(c);
        return 0;
}

/* Return: NULL. */
Coldplug *coldplug_free(Coldplug *c) {
        if (!c)
                return NULL;

        sd_event_source_disable_unref(c->source);
        if (c->enumerate)
                (void) udev_enumerate_unref(c->enumerate);
        udev_unref(c->udev);
        free(c);
        return NULL;
}

/**
 * coldplug_start() - walk over all devices; if a walk is under way, over all of them once more after it
 *
 * Return: 0 or -ENOMEM.
 */
int coldplug_start(Coldplug *c) {
        int r;

        assert(c);

        if (c->enumerate) {
                c->again = true;
                return 0;
        }
        c->again = false;
        c->n_devices = 0;
        r = scan(c, /* subsystems= */ false);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(c->source, SD_EVENT_ON);
}

bool coldplug_is_running(const Coldplug *c) {
        assert(c);

        return c->enumerate != NULL;
}
