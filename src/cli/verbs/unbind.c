/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Unbind: writes to "unbind" and "bind" of a driver in /sys, as root may (Documentation/ABI/testing/sysfs-bus-*). Owns
 * the list of what was unbound. A driver without these files (suppress_bind_attrs) keeps its devices.
 */

#include "cli/verbs/unbind.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>

#include "cli/call/failure.h"
#include "common/base/array.h"
#include "common/base/string-list.h"
#include "common/device/module-devices.h"

typedef struct UnboundDevice {
        char *driver;                   /* its directory in /sys */
        char *name;                     /* of the device on its bus */
} UnboundDevice;

struct Unbound {
        UnboundDevice *items;
        size_t n_items;
};

/* Return: NULL. The devices stay as they are. */
Unbound *unbound_free(Unbound *u) {
        if (!u)
                return NULL;

        for (size_t i = 0; i < u->n_items; i++) {
                free(u->items[i].driver);
                free(u->items[i].name);
        }
        free(u->items);
        free(u);
        return NULL;
}

static int write_name(const char *driver, const char *file, const char *name) {
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];

        if (snprintf(path, sizeof(path), "%s/%s", driver, file) >= (int) sizeof(path))
                return -ENAMETOOLONG;
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return write(fd, name, strlen(name)) < 0 ? -errno : 0;
}

static int unbind_one(Unbound *u, const char *device) {
        _cleanup_(freep) char *driver = NULL, *name = NULL;
        char path[PATH_MAX];
        int r;

        if (snprintf(path, sizeof(path), "/sys%s/driver", device) >= (int) sizeof(path))
                return -ENAMETOOLONG;
        driver = realpath(path, NULL);
        if (!driver)
                return errno == ENOENT ? 0 : -errno; /* it has gone, or lost its driver */
        name = strdup(strrchr(device, '/') + 1);
        if (!name)
                return -ENOMEM;
        r = array_grow(&u->items, u->n_items, sizeof(*u->items));
        if (r < 0)
                return r;
        r = write_name(driver, "unbind", name);
        if (r < 0)
                return r == -ENODEV ? 0 : r;
        u->items[u->n_items++] = (UnboundDevice) { STEAL_PTR(driver), STEAL_PTR(name) };
        return 0;
}

/* The paths of module_devices_new() begin with / or /sys. */
static const char *below_sys(const char *device) {
        return startswith(device, "/sys/") ? device + strlen("/sys") : device;
}

static int refuse(Output *out, const char *device, int error) {
        if (error == -EACCES || error == -EPERM)
                return failure_print_own(out, CLIENT_ERROR_LOCAL, "the same with sudo",
                                         "only root may take the device %s from its driver", device);
        if (error == -ENOENT)
                return failure_print_own(out, CLIENT_ERROR_LOCAL, "unload without --unbind",
                                         "the driver of %s does not let go of its devices", device);
        return failure_print_own(out, CLIENT_ERROR_LOCAL, "dmesg may say more",
                                 "cannot take the device %s from its driver: %s", device, strerror(-error));
}

/**
 * unbind_devices() - take all devices from the drivers of modules
 * @ret: what was unbound, unbound_free(); NULL where it failed
 *
 * Return: 0; an ExitStatus after a report, with all bound again; -ENOMEM.
 */
int unbind_devices(Output *out, char *const *modules, Unbound **ret) {
        _cleanup_(unbound_freep) Unbound *u = calloc(1, sizeof(*u));

        assert(out && ret);

        if (!u)
                return -ENOMEM;
        for (char *const *module = modules; module && *module; module++) {
                _cleanup_(string_list_freep) char **devices = NULL;
                int r = module_devices_new(NULL, *module, &devices);

                for (char **device = devices; r >= 0 && device && *device; device++) {
                        r = unbind_one(u, below_sys(*device));
                        if (r < 0 && r != -ENOMEM) {
                                r = refuse(out, strrchr(*device, '/') + 1, r);
                                bind_again(out, u);
                                return r;
                        }
                }
                if (r < 0)
                        return r;
        }
        *ret = STEAL_PTR(u);
        return 0;
}

/* What cannot be bound again is reported. */
void bind_again(Output *out, const Unbound *u) {
        assert(out && u);

        for (size_t i = 0; i < u->n_items; i++) {
                int r = write_name(u->items[i].driver, "bind", u->items[i].name);

                if (r < 0 && r != -EBUSY) /* it has a driver */
                        (void) failure_print_own(
                                out, CLIENT_ERROR_LOCAL, "lkmctl explain says which driver it could get",
                                "the device %s stays without a driver: %s", u->items[i].name, strerror(-r));
        }
}
