/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ModuleDevices: reads the links below /sys/module/NAME/drivers. Owns nothing. */

#include "daemon/base/module-devices.h"

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
 * module_devices_read() - which devices have a driver of this module?
 * @ret: a StringList of paths below /sys; the caller's
 *
 * Return: 0; -ENOMEM.
 */
int module_devices_read(const char *module, char ***ret) {
        _cleanup_(string_list_freep) char **list = NULL;
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX];
        struct dirent *entry;
        int r;

        assert(module && ret);

        r = string_list_new(&list);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "/sys/module/%s/drivers", module);
        dir = opendir(path);
        while (dir && (entry = readdir(dir))) {
                if (entry->d_name[0] == '.' || snprintf(path, sizeof(path), "/sys/module/%s/drivers/%s",
                                                        module, entry->d_name) >= (int) sizeof(path))
                        continue;
                r = read_driver(path, &list);
                if (r < 0)
                        return r;
        }
        *ret = STEAL_PTR(list);
        return 0;
}
