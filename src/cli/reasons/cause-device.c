/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CauseDevice: see cause-device.h. The driver core of the kernel is drivers/base/dd.c, the links between devices are
 * Documentation/ABI/testing/sysfs-class-devlink. Owns nothing.
 */

#include "cli/reasons/cause-device.h"

#include <assert.h>
#include <dirent.h>

#include "cli/machine/attribute.h"
#include "common/device/device-keys.h"

/* The directory of the device, with @below behind it. Return: 0; -ENOMEM. */
static int directory_new(const Inquiry *q, const char *below, char **ret) {
        if (asprintf(ret, "%s%s%s", q->machine->sys, q->device->path, below) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

static const char *sysname_of(const Inquiry *q) {
        return q->device->uevent.facts.sysname ?: q->device->path;
}

static const char *bus_of(const Inquiry *q) {
        return q->device->uevent.facts.subsystem ?: "platform";
}

/* ------------------------------------------------------------------------------------------- before any module */

/* USB and Thunderbolt: of the device, and of its interfaces, which are asked about. */
static int on_not_authorized(const Inquiry *q, Cause *ret) {
        static const char *const places[] = { "", "/.." };

        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
                _cleanup_(freep) char *directory = NULL, *command = NULL;
                uint64_t authorized = 1;
                int r;

                r = directory_new(q, places[i], &directory);
                if (r >= 0)
                        r = attribute_unsigned(directory, "authorized", &authorized);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || authorized != 0)
                        continue;
                if (asprintf(&command, "echo 1 > %s/authorized", directory) < 0) {
                        command = NULL;
                        return -ENOMEM;
                }
                return cause_make(
                        ret, CAUSE_NOT_AUTHORIZED, NULL, command,
                        "%s may not be used: its attribute authorized is 0, as USBGuard, bolt or the bus set it",
                        sysname_of(q));
        }
        return 0;
}

static int on_driver_override(const Inquiry *q, Cause *ret) {
        _cleanup_(freep) char *directory = NULL, *driver = NULL, *command = NULL;
        int r;

        r = directory_new(q, "", &directory);
        if (r >= 0)
                r = attribute_new(directory, "driver_override", &driver);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (*driver == '\0' || streq(driver, "(null)"))
                return 0;
        if (asprintf(&command, "echo > %s/driver_override; echo %s > %s/bus/%s/drivers_probe", directory,
                     sysname_of(q), q->machine->sys, bus_of(q)) < 0) {
                command = NULL;
                return -ENOMEM;
        }
        return cause_make(ret, CAUSE_DRIVER_OVERRIDE, NULL, command,
                          "only the driver %s may have %s: its attribute driver_override says so", driver,
                          sysname_of(q));
}

static int on_no_modalias(const Inquiry *q, Cause *ret) {
        const char *keys[DEVICE_KEYS_MAX];

        if (device_keys(&q->device->uevent.facts, keys) > 0)
                return 0;
        return cause_make(ret, CAUSE_NO_MODALIAS, NULL, NULL,
                          "%s asks for no module: its uevent has no modalias", sysname_of(q));
}

/* A device without a driver. Return: as a cause_look_t. */
int cause_of_device(const Inquiry *q, Cause *ret) {
        static const cause_look_t looks[] = { on_not_authorized, on_driver_override, on_no_modalias };
        int r = 0;

        assert(q && q->device && ret);

        for (size_t i = 0; r == 0 && i < ARRAY_LEN(looks); i++)
                r = looks[i](q, ret);
        return r;
}

/* ----------------------------------------------------------------------------- with the module in the kernel */

static int make_deferred(const Inquiry *q, const char *what, const char *why, Cause *ret) {
        return cause_make(ret, CAUSE_DEFERRED, q->name,
                          "lkmctl why-not SUPPLIER; cat /sys/kernel/debug/devices_deferred",
                          "the driver of %s waits for %s%s%s", sysname_of(q), what, *why ? ": " : "", why);
}

/* "supplier:platform:NAME" of a device is a link whose "status" says whether the supplier is there. */
static int on_supplier(const Inquiry *q, Cause *ret) {
        static const char prefix[] = "supplier:";
        _cleanup_(freep) char *directory = NULL;
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *entry;
        int r;

        r = directory_new(q, "", &directory);
        if (r < 0)
                return r;
        d = opendir(directory);
        while (d && (entry = readdir(d))) {
                _cleanup_(freep) char *link = NULL, *status = NULL, *supplier = NULL, *command = NULL;

                if (!startswith(entry->d_name, prefix))
                        continue;
                if (asprintf(&link, "%s/%s", directory, entry->d_name) < 0) {
                        link = NULL;
                        return -ENOMEM;
                }
                r = attribute_new(link, "status", &status);
                if (r >= 0)
                        r = attribute_link_new(link, "supplier", &supplier);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || !streq(status, "dormant"))
                        continue;
                if (asprintf(&command, "lkmctl why-not %s", supplier) < 0) {
                        command = NULL;
                        return -ENOMEM;
                }
                return cause_make(
                        ret, CAUSE_DEFERRED, q->name, command,
                        "the driver of %s waits for its supplier, the device %s, which has no driver yet",
                        sysname_of(q), supplier);
        }
        return 0;
}

static int on_waiting_for_supplier(const Inquiry *q, Cause *ret) {
        _cleanup_(freep) char *directory = NULL;
        uint64_t waiting = 0;
        int r;

        r = directory_new(q, "", &directory);
        if (r >= 0)
                r = attribute_unsigned(directory, "waiting_for_supplier", &waiting);
        if (r == -ENOMEM)
                return r;
        return waiting > 0 ? make_deferred(q, "a supplier that firmware names and that is not there yet", "",
                                           ret)
                           : 0;
}

/* "NAME\tREASON", of which only root may read the list. */
static int on_deferred(const Inquiry *q, Cause *ret) {
        _cleanup_(freep) char *list = NULL;
        const char *name = sysname_of(q);
        int r;

        r = attribute_new(q->machine->sys, "kernel/debug/devices_deferred", &list);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (char *rest = list, *line; (line = strsep(&rest, "\n"));) {
                char *tab = strchr(line, '\t');

                if (tab)
                        *tab = '\0';
                if (streq(line, name))
                        return make_deferred(q, "something that it needs", tab ? tab + 1 : "", ret);
        }
        return 0;
}

/* The kernel: "e1000e 0000:00:03.0: probe with driver e1000e failed with error -5"; before 6.9 "e1000e: probe of NAME .." */
static int on_failed_probe(const Inquiry *q, Cause *ret) {
        static const char words[] = "failed with error ";
        const char *name = sysname_of(q), *latest = NULL, *line;
        size_t at = 0;

        while ((line = kernel_lines_next(q->kernel_lines, inquiry_loaded_usec(q), &at)))
                if (strstr(line, words) && strstr(line, "probe ") && strstr(line, name))
                        latest = strstr(line, words) + strlen(words);
        if (!latest)
                return 0;
        return cause_make(ret, CAUSE_PROBE_FAILED, q->name, "journalctl -k -b",
                          "%s is in the kernel, but its driver could not start %s: %s", q->name, name,
                          strerrordesc_np(-atoi(latest)) ?: latest);
}

static int on_not_probed(const Inquiry *q, Cause *ret) {
        _cleanup_(freep) char *command = NULL, *bus = NULL;
        uint64_t automatic = 1;

        if (asprintf(&bus, "%s/bus/%s", q->machine->sys, bus_of(q)) < 0) {
                bus = NULL;
                return -ENOMEM;
        }
        (void) attribute_unsigned(bus, "drivers_autoprobe", &automatic);
        if (asprintf(&command, "echo %s > %s/drivers_probe", sysname_of(q), bus) < 0) {
                command = NULL;
                return -ENOMEM;
        }
        if (automatic == 0)
                return cause_make(
                        ret, CAUSE_NOT_PROBED, q->name, command,
                        "%s is in the kernel, but drivers_autoprobe of the bus %s is 0: nobody gave it %s",
                        q->name, bus_of(q), sysname_of(q));
        return cause_make(
                ret, CAUSE_NOT_PROBED, q->name, command,
                "%s is in the kernel, but has not taken %s: it declined it, or somebody took it away (unbind)",
                q->name, sysname_of(q));
}

/* A device without a driver, although the module of one is there. Return: 1, there always is a cause; -ENOMEM. */
int cause_of_probe(const Inquiry *q, Cause *ret) {
        static const cause_look_t looks[] = {
                on_supplier, on_waiting_for_supplier, on_deferred, on_failed_probe, on_not_probed,
        };
        int r = 0;

        assert(q && q->device && ret);

        for (size_t i = 0; r == 0 && i < ARRAY_LEN(looks); i++)
                r = looks[i](q, ret);
        return r;
}
