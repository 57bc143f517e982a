/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Device: one directory of /sys/devices, for verbs that work out without lkmd what a device would get. It reads the
 * same properties as lkmd.
 */

#include "cli/offline/device.h"

#include <assert.h>
#include <ctype.h>
#include <fts.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/device/device-keys.h"
#include "common/device/device-path.h"

#define SYS "/sys"

/**
 * device_read() - what /sys says of a device
 * @path: below /sys, without links
 *
 * Return: 0; -ENODEV: there is no such device; -ENOMEM.
 */
int device_read(Device **ret, const char *path) {
        _cleanup_(device_freep) Device *d = NULL;
        _cleanup_(freep) char *syspath = NULL;
        int r;

        assert(ret && path);

        d = calloc(1, sizeof(*d));
        if (!d)
                return -ENOMEM;
        d->path = strdup(path);
        if (!d->path)
                return -ENOMEM;
        if (asprintf(&syspath, SYS "%s", path) < 0) {
                syspath = NULL;
                return -ENOMEM;
        }
        r = device_uevent_read(&d->uevent, syspath);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(d);
        return 0;
}

/* Return: NULL. */
Device *device_free(Device *d) {
        if (!d)
                return NULL;

        free(d->path);
        free(d);
        return NULL;
}

/* Is it a path, which is no name of a module and no alias? */
bool device_is_path(const char *argument) {
        return argument[0] == '/' || startswith(argument, "./") || startswith(argument, "../");
}

static int find_node(const char *node, char **ret) {
        _cleanup_(freep) char *path = NULL;
        struct stat st;

        if (stat(node, &st) < 0 || (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode)))
                return -ENODEV;
        if (asprintf(&path, SYS "/dev/%s/%u:%u", S_ISBLK(st.st_mode) ? "block" : "char", major(st.st_rdev),
                     minor(st.st_rdev)) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return device_path_resolve(path, ret);
}

/* "00:1f.2", as lspci prints the address of what is in domain 0. */
static bool is_short_pci_address(const char *name) {
        static const char form[] = "xx:xx.o";

        for (size_t i = 0; i < sizeof(form) - 1; i++)
                if (form[i] == 'x'   ? !isxdigit((unsigned char) name[i])
                    : form[i] == 'o' ? name[i] < '0' || name[i] > '7'
                                     : name[i] != form[i])
                        return false;
        return name[sizeof(form) - 1] == '\0';
}

/* The device that buses and classes call so, as long as it is one. */
static int find_name(const char *name, char **ret) {
        static const char *const patterns[] = { SYS "/bus/*/devices/", SYS "/class/*/" };
        _cleanup_(freep) char *found = NULL, *full = NULL;

        if (name[0] == '\0' || strpbrk(name, "/*?[]\\"))
                return -ENODEV;
        if (is_short_pci_address(name)) {
                if (asprintf(&full, "0000:%s", name) < 0) {
                        full = NULL;
                        return -ENOMEM;
                }
                for (char *p = full; *p; p++)
                        *p = (char) tolower((unsigned char) *p);
                name = full;
        }
        for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
                _cleanup_(globfree) glob_t matches = {};
                _cleanup_(freep) char *pattern = NULL;

                if (asprintf(&pattern, "%s%s", patterns[i], name) < 0) {
                        pattern = NULL;
                        return -ENOMEM;
                }
                if (glob(pattern, GLOB_NOSORT, NULL, &matches) != 0)
                        continue;
                for (size_t k = 0; k < matches.gl_pathc; k++) {
                        _cleanup_(freep) char *path = NULL;

                        if (device_path_resolve(matches.gl_pathv[k], &path) < 0)
                                continue;
                        if (found && !streq(found, path))
                                return -ENOTUNIQ;
                        free(found);
                        found = STEAL_PTR(path);
                }
        }
        if (!found)
                return -ENODEV;

        *ret = STEAL_PTR(found);
        return 0;
}

/**
 * device_find() - the device that an argument names
 * @argument: a path in /sys or /dev, a name on a bus or in a class, or a PCI address without its domain
 *
 * Return: 0; -ENODEV; -ENOTUNIQ: it names several devices; -EACCES; -ENOMEM.
 */
int device_find(Device **ret, const char *argument) {
        _cleanup_(freep) char *path = NULL;
        int r;

        assert(ret && argument);

        if (startswith(argument, "/dev/"))
                r = find_node(argument, &path);
        else if (device_is_path(argument))
                r = device_path_resolve(argument, &path);
        else
                r = find_name(argument, &path);
        return r < 0 ? r : device_read(ret, path);
}

/**
 * device_climb() - from what people name to what has the driver: from eth0 to the card, from sda to the disk
 * @d: replaced by the nearest device above it that asks for a driver or has one, unless it does so itself; if none
 *     does, it stays
 *
 * Return: 0; -ENOMEM.
 */
int device_climb(Device **d) {
        const char *keys[DEVICE_KEYS_MAX];
        _cleanup_(freep) char *path = NULL;

        assert(d && *d);

        if ((*d)->uevent.facts.driver || device_keys(&(*d)->uevent.facts, keys) > 0)
                return 0;
        path = strdup((*d)->path);
        if (!path)
                return -ENOMEM;
        for (char *slash; (slash = strrchr(path, '/')) && slash > path;) {
                _cleanup_(device_freep) Device *above = NULL;
                int r;

                *slash = '\0';
                r = device_read(&above, path);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || (!above->uevent.facts.driver && device_keys(&above->uevent.facts, keys) == 0))
                        continue;
                device_free(*d);
                *d = STEAL_PTR(above);
                break;
        }
        return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b) {
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

/**
 * device_each() - all devices of this machine, in the order of their paths
 *
 * Return: 0; what @on_device stopped with; -errno of reading /sys/devices.
 */
int device_each(device_each_t on_device, void *userdata) {
        static char root[] = SYS "/devices";
        char *roots[] = { root, NULL };
        FTS *walk;
        FTSENT *e;
        int r = 0;

        assert(on_device);

        walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, by_name);
        if (!walk)
                return -errno;
        while (r == 0 && (e = fts_read(walk))) {
                _cleanup_(device_freep) Device *d = NULL;

                if (e->fts_info == FTS_DP || !streq(e->fts_name, "uevent") || e->fts_level < 2)
                        continue;
                e->fts_path[e->fts_pathlen - (sizeof("/uevent") - 1)] = '\0';
                r = device_read(&d, e->fts_path + strlen(SYS));
                e->fts_path[e->fts_pathlen - (sizeof("/uevent") - 1)] = '/';
                if (r == -ENODEV) {
                        r = 0;          /* it is gone */
                        continue;
                }
                if (r == 0)
                        r = on_device(d, userdata);
        }
        (void) fts_close(walk);
        return r;
}

/* Who asks when the device does, as request_get_requester() of the daemon has it; borrows from the device. */
PolicyRequester device_get_requester(const Device *d) {
        assert(d);

        return (PolicyRequester) { .origin = ORIGIN_DEVICE,
                                   .subsystem = d->uevent.facts.subsystem,
                                   .driver = d->uevent.facts.driver };
}
