/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DeviceNames: see device-name.h. Owns the hardware database, if there is one: where udev is not installed, devices
 * have the names that they give themselves.
 *
 * What a device says of itself comes first, since it is about this very device; the database knows its model; a class,
 * such as "VGA compatible controller", is better than nothing.
 */

#include "cli/machine/device-name.h"

#include <assert.h>
#include <systemd/sd-hwdb.h>

#include "cli/machine/attribute.h"

struct DeviceNames {
        sd_hwdb *hwdb;                  /* NULL: there is none */
};

/**
 * device_names_new() - open the hardware database
 * @hwdb_path: NULL: that of this machine
 *
 * Return: 0, also without a database; -ENOMEM.
 */
int device_names_new(DeviceNames **ret, const char *hwdb_path) {
        _cleanup_(device_names_freep) DeviceNames *n = NULL;
        int r;

        assert(ret);

        n = calloc(1, sizeof(*n));
        if (!n)
                return -ENOMEM;
        r = hwdb_path ? sd_hwdb_new_from_path(hwdb_path, &n->hwdb) : sd_hwdb_new(&n->hwdb);
        if (r == -ENOMEM)
                return r;

        *ret = STEAL_PTR(n);
        return 0;
}

/* Return: NULL. */
DeviceNames *device_names_free(DeviceNames *n) {
        if (!n)
                return NULL;

        sd_hwdb_unref(n->hwdb);
        free(n);
        return NULL;
}

static const char *look_up(const DeviceNames *n, const char *modalias, const char *key) {
        const char *value;

        if (!n->hwdb || sd_hwdb_get(n->hwdb, modalias, key, &value) < 0 || !value || *value == '\0')
                return NULL;
        return value;
}

/*
 * What people call a maker: "AMD" of "Advanced Micro Devices, Inc. [AMD]", "Intel" of "Intel Corporation".
 * @ret, @ret_size: a part of @vendor
 */
static void shorten_vendor(const char *vendor, const char **ret, size_t *ret_size) {
        static const char *const forms[] = { ", Inc", " Inc.", ", Ltd", " Co.", ", LLC",
                                             " Corp", " GmbH", " AG",   " Ltd", " Limited" };
        const char *open = strrchr(vendor, '['), *close = open ? strchr(open, ']') : NULL;

        if (close && close > open + 1) {
                *ret = open + 1;
                *ret_size = (size_t) (close - open - 1);
                return;
        }
        *ret = vendor;
        *ret_size = strlen(vendor);
        for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
                const char *form = strstr(vendor, forms[i]);

                if (form && form > vendor)
                        *ret_size = MIN(*ret_size, (size_t) (form - vendor));
        }
}

static int join(const char *vendor, const char *model, char **ret) {
        const char *maker;
        size_t n;

        shorten_vendor(vendor, &maker, &n);
        if (n == 0 || strncasecmp(model, maker, n) == 0)
                *ret = strdup(model);
        else if (asprintf(ret, "%.*s %s", (int) n, maker, model) < 0)
                *ret = NULL;
        return *ret ? 0 : -ENOMEM;
}

/* The value of a line "KEY=VALUE" of the file "uevent", until the end of the line. */
static int property_new(const char *uevent, const char *key, char **ret) {
        size_t n = strlen(key);

        for (const char *line = uevent; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                const char *value = line + n + 1;

                if (strncmp(line, key, n) != 0 || line[n] != '=' || strcspn(value, "\n") == 0)
                        continue;
                *ret = strndup(value, strcspn(value, "\n"));
                return *ret ? 0 : -ENOMEM;
        }
        return -ENOENT;
}

typedef struct Subject {
        const DeviceNames *names;
        const char *syspath, *uevent;
        char *modalias, *subsystem;     /* NULL: it has none */
} Subject;

static int attribute_or_null(const char *directory, const char *name, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = attribute_new(directory, name, &text);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && *text)
                *ret = STEAL_PTR(text);
        return 0;
}

/* Each of the following finds a name, or leaves @ret alone. Return: 0; -ENOMEM. */

/* A USB device says what it is; its interfaces, which have the drivers, do not. */
static int by_product(const Subject *s, char **ret) {
        _cleanup_(freep) char *above = NULL;

        if (!streq_ptr(s->subsystem, "usb"))
                return 0;
        if (!strchr(strrchr(s->syspath, '/') ?: "", ':'))
                return attribute_or_null(s->syspath, "product", ret);
        if (asprintf(&above, "%s/..", s->syspath) < 0) {
                above = NULL;
                return -ENOMEM;
        }
        return attribute_or_null(above, "product", ret);
}

static int by_model(const Subject *s, char **ret) {
        const char *vendor, *model;

        if (!s->modalias)
                return 0;
        model = look_up(s->names, s->modalias, "ID_MODEL_FROM_DATABASE");
        if (!model)
                return 0;
        vendor = look_up(s->names, s->modalias, "ID_VENDOR_FROM_DATABASE");
        return join(vendor ?: "", model, ret);
}

/* What SCSI and NVMe devices say, whose bytes have blanks at their ends. */
static int by_own_model(const Subject *s, char **ret) {
        _cleanup_(freep) char *vendor = NULL, *model = NULL;
        int r;

        r = attribute_or_null(s->syspath, "model", &model);
        if (r < 0 || !model)
                return r;
        r = attribute_or_null(s->syspath, "vendor", &vendor);
        if (r < 0)
                return r;
        if (vendor && startswith(vendor, "0x"))
                vendor[0] = '\0';       /* a number */
        return join(vendor ?: "", model, ret);
}

static int by_hid_name(const Subject *s, char **ret) {
        int r = property_new(s->uevent, "HID_NAME", ret);

        return r == -ENOENT ? 0 : r;
}

static int by_own_name(const Subject *s, char **ret) {
        return attribute_or_null(s->syspath, "name", ret);
}

static int by_class(const Subject *s, char **ret) {
        static const char *const keys[] = { "ID_PCI_SUBCLASS_FROM_DATABASE", "ID_PCI_CLASS_FROM_DATABASE",
                                            "ID_USB_CLASS_FROM_DATABASE", "ID_SDIO_CLASS_FROM_DATABASE" };

        for (size_t i = 0; s->modalias && i < ARRAY_LEN(keys); i++) {
                const char *name = look_up(s->names, s->modalias, keys[i]);

                if (!name)
                        continue;
                *ret = strdup(name);
                return *ret ? 0 : -ENOMEM;
        }
        return 0;
}

/* Interfaces and disks are known by the names that the kernel gave them. */
static int by_sysname(const Subject *s, char **ret) {
        static const char *const subsystems[] = { "net", "block", "tty", "sound", "watchdog", "rtc" };
        const char *slash = strrchr(s->syspath, '/');

        for (size_t i = 0; slash && s->subsystem && i < ARRAY_LEN(subsystems); i++)
                if (streq(s->subsystem, subsystems[i])) {
                        *ret = strdup(slash + 1);
                        if (!*ret)
                                return -ENOMEM;
                        for (char *c = *ret; (c = strchr(c, '!'));)
                                *c = '/';
                }
        return 0;
}

/**
 * device_names_get() - what people call a device
 * @syspath: below /sys, without links
 * @ret:     any bytes that devices give, to be escaped by who prints them; NULL: it has no name, or is gone
 *
 * Return: 0; -ENOMEM.
 */
int device_names_get(const DeviceNames *n, const char *syspath, char **ret) {
        static int (*const ways[])(const Subject *s, char **ret) = {
                by_sysname, by_product, by_hid_name, by_own_model, by_model, by_own_name, by_class,
        };
        _cleanup_(freep) char *uevent = NULL, *modalias = NULL, *subsystem = NULL, *name = NULL;
        int r;

        assert(n && syspath && ret);

        r = attribute_or_null(syspath, "uevent", &uevent);
        if (r >= 0)
                r = attribute_link_new(syspath, "subsystem", &subsystem);
        if (r != -ENOMEM)
                r = property_new(uevent ?: "", "MODALIAS", &modalias);
        if (r == -ENOMEM)
                return r;

        for (size_t i = 0; !name && i < ARRAY_LEN(ways); i++) {
                r = ways[i](&(Subject) { n, syspath, uevent ?: "", modalias, subsystem }, &name);
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(name);
        return 0;
}

/* As device_names_get(), with the database of this machine; who asks for many devices opens it once. */
int device_name_new(const char *syspath, char **ret) {
        _cleanup_(device_names_freep) DeviceNames *n = NULL;
        int r;

        r = device_names_new(&n, NULL);
        return r < 0 ? r : device_names_get(n, syspath, ret);
}
