/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Coldplug: walks over the devices in /sys in slices, so that the event loop stays responsive. Owns the list of the
 * walk under way. A device that vanishes meanwhile is skipped; one that appears sends an event.
 *
 * The properties of a device are read from its uevent file, which has the lines of the event itself. libudev would
 * read a dozen more files for each device, its own database among them, which matters only for some devices.
 */

#include "daemon/devices/coldplug.h"

#include <assert.h>
#include <limits.h>

#include "common/device/device-keys.h"
#include "daemon/base/log.h"
#include "daemon/devices/device-list.h"

#define DEVICES_AT_ONCE 32U
#define RETRY_USEC (10U * 1000U * 1000U) /* after a walk that did not see all devices */
#define SYS_DIR "/sys"
#define MODULES_DIR SYS_DIR "/module"

struct Coldplug {
        struct udev *udev;
        sd_event_source *source;
        DeviceList list;
        size_t next;                    /* in the list */
        bool running, again;            /* again: another walk was asked for while one was running */
        size_t n_devices;
        int error;                      /* why the walk does not see all devices, or 0 */
        sd_event_source *retry;         /* then: until the next walk */
        device_seen_t seen;
        coldplug_done_t done;
        coldplug_by_udev_t by_udev;     /* NULL: none */
        void *userdata;
};

/* With the properties that only udev knows: MTD_FTL of its mtd_probe, and what the administrator's rules have set. */
static void look_with_libudev(Coldplug *c, const char *syspath) {
        struct udev_device *device = udev_device_new_from_syspath(c->udev, syspath);
        DeviceFacts facts;

        if (!device)
                return;
        uevent_get_facts(device, "add", &facts);
        c->seen(&facts, syspath + strlen(SYS_DIR), c->userdata);
        (void) udev_device_unref(device);
}

static void look_at(Coldplug *c, const char *syspath) {
        DeviceUevent u;
        int r;

        if (!startswith(syspath, SYS_DIR "/"))
                return;
        r = device_uevent_read(&u, syspath);
        if (r == -EACCES)
                c->error = r;
        if (r < 0)
                return;                 /* mostly gone since the list was made */
        c->n_devices++;
        if (streq_ptr(u.facts.subsystem, "mtd") ||
            (c->by_udev && c->by_udev(u.facts.subsystem, c->userdata)))
                look_with_libudev(c, syspath);
        else
                c->seen(&u.facts, syspath + strlen(SYS_DIR), c->userdata);
}

/* udev's rule is about modules too (parport_pc); only their names matter. */
static void look_at_modules(Coldplug *c) {
        _cleanup_(closedirp) DIR *dir = opendir(MODULES_DIR);
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                const char *keys[DEVICE_KEYS_MAX];
                char path[NAME_MAX + sizeof("/module/")];
                DeviceFacts facts = { .action = "add", .subsystem = "module", .sysname = entry->d_name };

                if (entry->d_name[0] == '.' || device_keys(&facts, keys) == 0)
                        continue;
                (void) snprintf(path, sizeof(path), "/module/%s", entry->d_name);
                c->seen(&facts, path, c->userdata);
        }
}

static int scan(Coldplug *c) {
        int r;

        device_list_clear(&c->list);
        c->next = 0;
        r = device_list_read(&c->list, SYS_DIR);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                log_warning("cannot list all of /sys: %s", strerror(-r));
        c->error = r < 0 && r != -ENOENT ? r : c->list.n_paths == 0 ? -ENODATA : 0;
        return 0;
}

static void coldplug_finish(Coldplug *c) {
        size_t n = c->n_devices;

        look_at_modules(c);
        device_list_clear(&c->list);
        c->next = 0;
        c->running = false;
        if (c->again && coldplug_start(c) >= 0)
                return;
        if (c->error < 0 && sd_event_source_set_time_relative(c->retry, RETRY_USEC) >= 0)
                (void) sd_event_source_set_enabled(c->retry, SD_EVENT_ONESHOT);
        c->done(n, c->userdata);
}

/* Who changes rights in /sys announces that to nobody. */
static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        int r = coldplug_start(userdata);

        if (r < 0)
                log_error("cannot look at all devices: %s", strerror(-r));
        return 0;
}

/*
 * The walk has the priority of events and takes turns with them, so that neither a storm of events delays the end of
 * the walk, nor the walk the loads that it caused. That needs a source that becomes due anew, behind what is due
 * already: a timer. A defer source stays first among the sources of its priority as long as it is enabled.
 */
static int ask_for_turn(Coldplug *c) {
        int r;

        r = sd_event_source_set_time_relative(c->source, 0);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(c->source, SD_EVENT_ONESHOT);
}

static int on_slice(sd_event_source *source, uint64_t usec, void *userdata) {
        Coldplug *c = userdata;
        int r;

        for (unsigned i = 0; i < DEVICES_AT_ONCE && c->next < c->list.n_paths; i++)
                look_at(c, c->list.paths[c->next++]);
        if (c->next == c->list.n_paths) {
                coldplug_finish(c);
                return 0;
        }
        r = ask_for_turn(c);
        if (r < 0)
                log_error("cannot look at the rest of the devices: %s", strerror(-r));
        return 0;
}

/**
 * coldplug_new() - no walk begins before coldplug_start()
 * @seen: called for each device, with the action "add"
 * @done: called at the end of a walk
 *
 * Return: 0, -ENOMEM or what sd_event_add_time(3) says.
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

        r = sd_event_add_time(event, &c->source, CLOCK_MONOTONIC, UINT64_MAX, /* accuracy= */ 1, on_slice, c);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(c->source, "coldplug");
        r = sd_event_add_time(event, &c->retry, CLOCK_MONOTONIC, UINT64_MAX, 0, on_retry, c);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(c->retry, SD_EVENT_OFF);
        if (r < 0)
                return r;
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
        sd_event_source_disable_unref(c->retry);
        device_list_clear(&c->list);
        udev_unref(c->udev);
        free(c);
        return NULL;
}

/**
 * coldplug_start() - walk over all devices; if a walk is under way, do another one after it
 *
 * Return: 0, -ENOMEM, or what sd_event_source_set_time_relative(3) says.
 */
int coldplug_start(Coldplug *c) {
        int r;

        assert(c);

        if (c->running) {
                c->again = true;
                return 0;
        }
        c->again = false;
        c->n_devices = 0;
        r = scan(c);
        if (r < 0)
                return r;
        r = ask_for_turn(c);
        c->running = r >= 0;
        return r;
}

/* @by_udev: which devices have properties of udev's that matter */
void coldplug_set_by_udev(Coldplug *c, coldplug_by_udev_t by_udev) {
        assert(c);

        c->by_udev = by_udev;
}

bool coldplug_is_running(const Coldplug *c) {
        assert(c);

        return c->running;
}

/* Why the walk, as far as it has come, does not see all devices: negative errno; 0: it does. */
int coldplug_get_error(const Coldplug *c) {
        assert(c);

        return c->error;
}
