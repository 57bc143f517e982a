/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ModuleDevices: reads the links below /sys/module/NAME/drivers. Owns nothing. */

#include "common/device/module-devices.h"

#include <assert.h>
#include <limits.h>

#include "common/base/string-list.h"
#include "common/base/util.h"

/* The links to devices in the directory of a driver lead to "../../../../devices/..". */
static int read_driver(const char *path, char ***list) {
        _cleanup_(closedirp) DIR *dir = opendir(path);
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                char link[PATH_MAX], target[PATH_MAX];
                const char *device;
                ssize_t n;
                int r;

                if (snprintf(link, sizeof(link), "%s/%s", path, entry->d_name) >= (int) sizeof(link))
                        continue;
                n = readlink(link, target, sizeof(target) - 1);
                if (n <= 0)
                        continue;
                target[n] = '\0';
                device = strstr(target, "/devices/");
                if (!device || string_list_contains(*list, device))
                        continue;
                r = string_list_append(list, device, strlen(device));
                if (r < 0)
                        return r;
        }
        return 0;
}

/**
 * module_devices_new() - which devices have a driver of this module?
 * @root: what /sys is; NULL: /sys
 * @ret:  a StringList of paths below /sys, as "/devices/pci0000:00/0000:00:02.0"; the caller's. Empty where there
 *        is no such module.
 *
 * Return: 0; -ENOMEM.
 */
int module_devices_new(const char *root, const char *module, char ***ret) {
        _cleanup_(string_list_freep) char **list = NULL;
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        struct dirent *entry;
        int r;

        assert(module && ret);

        root = root ?: "/sys";
        r = string_list_new(&list);
        if (r < 0)
                return r;
        if (snprintf(path, sizeof(path), "%s/module/%s/drivers", root, module) < (int) sizeof(path))
                dir = opendir(path);
        while (dir && (entry = readdir(dir))) {
                if (entry->d_name[0] == '.' || snprintf(path, sizeof(path), "%s/module/%s/drivers/%s", root,
                                                        module, entry->d_name) >= (int) sizeof(path))
                        continue;
                r = read_driver(path, &list);
                if (r < 0)
                        return r;
        }
        *ret = STEAL_PTR(list);
        return 0;
}
