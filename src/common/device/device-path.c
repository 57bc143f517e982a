/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DevicePath: the device that a path below /sys leads to. People know links rather than paths of devices
 * (/sys/class/net/eth0, /sys/bus/pci/devices/...), and name the interface of a network card although the
 * driver belongs to the card below it. Owns nothing.
 */

#include "common/device/device-path.h"

#include <assert.h>
#include <limits.h>

#include "common/base/util.h"

#define SYS "/sys"
#define SYS_DEVICES SYS "/devices/"
#define STEPS_MAX 16U                   /* from a device of a class down to one of a bus */

/* Only devices have a file "uevent"; other directories, such as "power", do not. */
static bool is_device(const char *real) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof(path), "%s/uevent", real);

        return startswith(real, SYS_DEVICES) && n > 0 && (size_t) n < sizeof(path) &&
               access(path, F_OK) == 0;
}

static bool has_link(const char *real, const char *name) {
        char path[PATH_MAX], target[1];
        int n = snprintf(path, sizeof(path), "%s/%s", real, name);

        return n > 0 && (size_t) n < sizeof(path) && readlink(path, target, sizeof(target)) >= 0;
}

/*
 * May the path of a client be looked at, who may see less than lkmd? It must be absolute, and must not leave
 * /sys.
 */
bool device_path_is_sound(const char *path) {
        assert(path);

        if (path[0] != '/' || strlen(path) >= PATH_MAX)
                return false;
        for (const char *p = path; (p = strstr(p, "/..")); p += 3)
                if (p[3] == '/' || p[3] == '\0')
                        return false;
        return true;
}

static int resolve(const char *path, const char *below, char **ret) {
        _cleanup_(freep) char *full = NULL, *real = NULL;

        if (asprintf(&full, "%s%s", path, below) < 0) {
                full = NULL;
                return -ENOMEM;
        }
        real = realpath(full, NULL);
        if (!real)
                return errno == ENOMEM || errno == EACCES ? -errno : -ENODEV;
        if (!is_device(real))
                return -ENODEV;

        *ret = STEAL_PTR(real);
        return 0;
}

/**
 * device_path_resolve() - find the device that gets the driver for what a path leads to
 * @path: in /sys, with or without /sys at its beginning, also by links; or relative
 * @ret:  its path below /sys, without links
 *
 * Return: 0; -ENODEV if there is no such device; -EACCES; -ENOMEM.
 */
int device_path_resolve(const char *path, char **ret) {
        _cleanup_(freep) char *real = NULL;
        int r;

        assert(path && ret);

        if (path[0] == '/' && !startswith(path, SYS "/"))
                r = resolve(SYS, path, &real);
        else
                r = resolve(path, "", &real);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < STEPS_MAX && !has_link(real, "driver") && has_link(real, "device"); i++) {
                char *parent = NULL;

                r = resolve(real, "/device", &parent);
                if (r < 0)
                        return r;
                free(real);
                real = parent;
        }

        *ret = strdup(real + strlen(SYS));
        return *ret ? 0 : -ENOMEM;
}
