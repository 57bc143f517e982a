/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DeviceList: the paths of the devices that /sys lists by bus and by class. Every entry there is a link to
 * the device (Documentation/admin-guide/sysfs-rules.rst), and one readlink(2) gives its path. libudev's
 * enumeration gives the same list, but resolves every component of every link and opens each device:
 * 84 system calls for a device, 44,000 on a small machine, before the first module could be loaded.
 */

#include "daemon/devices/device-list.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>

#include "common/base/util.h"

void device_list_clear(DeviceList *l) {
        assert(l);

        for (size_t i = 0; i < l->n_paths; i++)
                free(l->paths[i]);
        free(l->paths);
        *l = (DeviceList) {};
}

/* @target: "../../../devices/pci0000:00/..", relative to any directory below @sys. Others are no devices. */
static int add(DeviceList *l, const char *sys, const char *target) {
        char *path;

        while (startswith(target, "../"))
                target += strlen("../");
        if (!startswith(target, "devices/"))
                return 0;

        if (l->n_paths == l->n_allocated) {
                size_t n = l->n_allocated > 0 ? l->n_allocated * 2 : 512;
                char **paths = reallocarray(l->paths, n, sizeof(*paths));

                if (!paths)
                        return -ENOMEM;
                l->paths = paths;
                l->n_allocated = n;
        }
        if (asprintf(&path, "%s/%s", sys, target) < 0)
                return -ENOMEM;
        l->paths[l->n_paths++] = path;
        return 0;
}

/* The devices of one bus or class, which may have vanished meanwhile. */
static int add_directory(DeviceList *l, const char *sys, const char *path) {
        _cleanup_(closedirp) DIR *dir = opendir(path);
        struct dirent *entry;

        if (!dir)
                return errno == EACCES ? -EACCES : 0;
        while ((entry = readdir(dir))) {
                char target[PATH_MAX];
                ssize_t n;
                int r;

                if (entry->d_name[0] == '.')
                        continue;
                n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
                if (n <= 0)
                        continue;       /* a file of the class itself (bonding_masters), or gone */
                target[n] = '\0';
                r = add(l, sys, target);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_all(DeviceList *l, const char *sys, const char *kind, const char *below) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        struct dirent *entry;
        int result = 0;

        (void) snprintf(path, sizeof(path), "%s/%s", sys, kind);
        dir = opendir(path);
        if (!dir)
                return -errno;
        while ((entry = readdir(dir))) {
                int r;

                if (entry->d_name[0] == '.' ||
                    snprintf(path, sizeof(path), "%s/%s/%s%s", sys, kind, entry->d_name, below) >=
                            (int) sizeof(path))
                        continue;
                r = add_directory(l, sys, path);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        result = r;
        }
        return result;
}

static int compare_paths(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void sort_and_unite(DeviceList *l) {
        size_t kept = 0;

        if (l->n_paths == 0)
                return;
        qsort(l->paths, l->n_paths, sizeof(*l->paths), compare_paths);
        for (size_t i = 1; i < l->n_paths; i++)
                if (streq(l->paths[i], l->paths[kept]))
                        free(l->paths[i]);
                else
                        l->paths[++kept] = l->paths[i];
        l->n_paths = kept + 1;
}

/**
 * device_list_read() - list the devices
 * @ret: to be cleared, also after a failure, when it has what could be listed
 * @sys: where /sys is
 *
 * Return: 0; -ENOMEM; the negative errno of the part of /sys that could not be read.
 */
int device_list_read(DeviceList *ret, const char *sys) {
        int r, q;

        assert(ret && sys);

        *ret = (DeviceList) {};
        r = add_all(ret, sys, "bus", "/devices");
        q = add_all(ret, sys, "class", "");
        sort_and_unite(ret);
        return r < 0 ? r : q;
}
