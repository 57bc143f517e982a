/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* DeviceId: finds devices by their numbers instead of their places, for people who copy from lspci or lsusb. */

#include "cli/offline/device-id.h"

#include <assert.h>
#include <ctype.h>
#include <glob.h>

#include "common/base/read-file.h"
#include "common/device/device-path.h"

#define SYS "/sys"
#define NUMBER_LENGTH 4U                /* hexadecimal digits */

/* @d: taken on success. */
int device_list_add(DeviceList *l, Device *d) {
        Device **items;

        assert(l && d);

        items = reallocarray(l->items, l->n_items + 1, sizeof(Device *));
        if (!items)
                return -ENOMEM;
        l->items = items;
        l->items[l->n_items++] = d;
        return 0;
}

void device_list_clear(DeviceList *l) {
        assert(l);

        for (size_t i = 0; i < l->n_items; i++)
                device_free(l->items[i]);
        free(l->items);
        *l = (DeviceList) {};
}

static bool is_number(const char *p) {
        for (size_t i = 0; i < NUMBER_LENGTH; i++)
                if (!isxdigit((unsigned char) p[i]))
                        return false;
        return true;
}

bool device_id_is(const char *argument) {
        assert(argument);

        return strlen(argument) == 2 * NUMBER_LENGTH + 1 && is_number(argument) &&
               argument[NUMBER_LENGTH] == ':' && is_number(argument + NUMBER_LENGTH + 1);
}

/* Has the file of a device this number in it, "0x8086" or "8086"? */
static bool file_has_number(const char *directory, const char *name, const char *number) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        _cleanup_(closep) int fd = -EBADF;
        const char *found;
        size_t size;

        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return false;
        }
        fd = read_file_open(path);
        if (fd < 0 || read_file(fd, 64, &text, &size) < 0)
                return false;
        found = startswith(text, "0x") ? text + 2 : text;
        return strlen(found) >= NUMBER_LENGTH && strncasecmp(found, number, NUMBER_LENGTH) == 0;
}

/* Return: 0, also if it is gone meanwhile; -ENOMEM. */
static int add_path(DeviceList *l, const char *directory) {
        _cleanup_(device_freep) Device *d = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = device_path_resolve(directory, &path);
        if (r >= 0)
                r = device_read(&d, path);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; i < l->n_items; i++)
                if (streq(l->items[i]->path, d->path))
                        return 0;
        r = device_list_add(l, d);
        if (r >= 0)
                STEAL_PTR(d);
        return r;
}

static int add_matching(DeviceList *l, const char *pattern) {
        _cleanup_(globfree) glob_t matches = {};
        int r = 0;

        if (glob(pattern, 0, NULL, &matches) != 0)
                return 0;
        for (size_t i = 0; r >= 0 && i < matches.gl_pathc; i++)
                r = add_path(l, matches.gl_pathv[i]);
        return r;
}

/**
 * device_interfaces() - the devices right below one, as a USB device has
 * @ret: empty; to be cleared also after a failure
 *
 * Return: 0; -ENOMEM.
 */
int device_interfaces(const Device *d, DeviceList *ret) {
        _cleanup_(freep) char *pattern = NULL;

        assert(d && ret);

        if (strpbrk(d->path, "*?[]\\"))
                return 0;
        if (asprintf(&pattern, SYS "%s/*:*.*", d->path) < 0) {
                pattern = NULL;
                return -ENOMEM;
        }
        return add_matching(ret, pattern);
}

/**
 * device_id_find() - devices with these numbers
 * @argument: device_id_is()
 * @ret:      empty; to be cleared also after a failure
 *
 * Return: 0, also if there is none; -ENOMEM.
 */
int device_id_find(const char *argument, DeviceList *ret) {
        static const struct {
                const char *pattern, *vendor, *device;
        } buses[] = {
                { SYS "/bus/pci/devices/*", "vendor", "device" },
                { SYS "/bus/usb/devices/*", "idVendor", "idProduct" },
        };
        int r = 0;

        assert(argument && device_id_is(argument) && ret);

        for (size_t i = 0; i < ARRAY_LEN(buses); i++) {
                _cleanup_(globfree) glob_t matches = {};

                if (glob(buses[i].pattern, 0, NULL, &matches) != 0)
                        continue;
                for (size_t k = 0; r >= 0 && k < matches.gl_pathc; k++) {
                        const char *directory = matches.gl_pathv[k];

                        if (file_has_number(directory, buses[i].vendor, argument) &&
                            file_has_number(directory, buses[i].device, argument + NUMBER_LENGTH + 1))
                                r = add_path(ret, directory);
                }
        }
        return r;
}
