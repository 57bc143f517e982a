/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RefusedDevices: see refused-devices.h. Owns a request for each device and key, and the names of the modules.
 * Bounded: when there is no room, it only notes that it does not know all devices, so that all of /sys has to be
 * looked at.
 */

#include "daemon/history/refused-devices.h"

#include <assert.h>

#include "common/base/limits.h"
#include "common/base/string-list.h"

struct RefusedDevices {
        TAILQ_HEAD(, RefusedDevice) list; /* in the order of the refusals */
        size_t n;
        bool incomplete;
};

/* Return: 0; -ENOMEM. */
int refused_devices_new(RefusedDevices **ret) {
        RefusedDevices *d;

        assert(ret);

        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        TAILQ_INIT(&d->list);
        *ret = d;
        return 0;
}

/* Return: NULL. */
RefusedDevices *refused_devices_free(RefusedDevices *d) {
        if (!d)
                return NULL;

        refused_devices_clear(d);
        free(d);
        return NULL;
}

/* Return: NULL. It is not in a list. */
RefusedDevice *refused_device_free(RefusedDevice *device) {
        if (!device)
                return NULL;

        request_unref(device->request);
        string_list_free(device->modules);
        string_list_free(device->by_command);
        free(device);
        return NULL;
}

static void drop(RefusedDevices *d, RefusedDevice *device) {
        TAILQ_REMOVE(&d->list, device, next);
        d->n--;
        refused_device_free(device);
}

/* From now on it knows all again: whoever calls it looks at all devices. */
void refused_devices_clear(RefusedDevices *d) {
        assert(d);

        while (!TAILQ_EMPTY(&d->list))
                drop(d, TAILQ_FIRST(&d->list));
        d->incomplete = false;
}

static RefusedDevice *find(RefusedDevices *d, const Request *request) {
        RefusedDevice *device;

        TAILQ_FOREACH(device, &d->list, next)
                if (streq(device->request->device, request->device) &&
                    streq(device->request->key, request->key))
                        return device;
        return NULL;
}

static RefusedDevice *add(RefusedDevices *d, const Request *request) {
        RefusedDevice *device;

        if (d->n >= REFUSED_DEVICES_MAX)
                return NULL;
        device = calloc(1, sizeof(*device));
        if (!device)
                return NULL;
        if (request_new_device(&device->request, request->key, request->device, request->subsystem, NULL) <
            0)
                return refused_device_free(device);
        TAILQ_INSERT_TAIL(&d->list, device, next);
        d->n++;
        return device;
}

/* Return: false if there is no room. */
static bool add_module(char ***modules, const char *module) {
        return string_list_contains(*modules, module) ||
               (string_list_count(*modules) < REFUSED_MODULES_MAX &&
                string_list_append(modules, module, strlen(module)) >= 0);
}

static void note(RefusedDevices *d, const Request *request, const char *module, bool by_command) {
        RefusedDevice *device;

        if (request->origin != ORIGIN_DEVICE || !request->device)
                return;
        device = find(d, request) ?: add(d, request);
        if (!device || !add_module(&device->modules, module) ||
            (by_command && !add_module(&device->by_command, module)))
                d->incomplete = true;
}

/* A module was refused to a request; nothing is noted unless the request is a device's. */
void refused_devices_note(RefusedDevices *d, const Request *request, const char *module) {
        assert(d && request && module);

        note(d, request, module, /* by_command= */ false);
}

/* The same, by an install command that was run: it is refused as long as there is one. */
void refused_devices_note_command(RefusedDevices *d, const Request *request, const char *module) {
        assert(d && request && module);

        note(d, request, module, /* by_command= */ true);
}

/* The device was removed. */
void refused_devices_forget(RefusedDevices *d, const char *device) {
        RefusedDevice *i, *next;

        assert(d && device);

        for (i = TAILQ_FIRST(&d->list); i; i = next) {
                next = TAILQ_NEXT(i, next);
                if (streq(i->request->device, device))
                        drop(d, i);
        }
}

/* Take the first one out. Return: the caller's to free or to put back; NULL: there is none. */
RefusedDevice *refused_devices_take(RefusedDevices *d) {
        RefusedDevice *device;

        assert(d);

        device = TAILQ_FIRST(&d->list);
        if (!device)
                return NULL;
        TAILQ_REMOVE(&d->list, device, next);
        d->n--;
        return device;
}

/* Behind all others. @device: taken */
void refused_devices_put_back(RefusedDevices *d, RefusedDevice *device) {
        assert(d && device);

        TAILQ_INSERT_TAIL(&d->list, device, next);
        d->n++;
}

size_t refused_devices_count(const RefusedDevices *d) {
        assert(d);

        return d->n;
}

/* False: there were more than it has room for. */
bool refused_devices_are_all(const RefusedDevices *d) {
        assert(d);

        return !d->incomplete;
}
