/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UdevDeed: see udev-deed.h. Owns nothing.
 *
 * Programs: a rule of the administrator (in /etc, /run and /usr/local) that runs one matters, since a script may do
 * anything. One of a package (in /usr/lib) matters if its text says so. udev runs the programs of RUN in the order of
 * the rules, so that those before 80-drivers.rules come before the driver.
 */

#include "common/device/udev-deed.h"

#include <assert.h>

#include "common/base/util.h"

/* Attributes of devices that decide which driver a device has, or whether it stays at all. */
static const struct {
        const char *attribute, *deed;
} deciding[] = {
        { "driver_override", "sets driver_override" },
        { "authorized", "sets authorized" },
        { "authorized_default", "sets authorized_default" },
        { "interface_authorized", "sets interface_authorized" },
        { "interface_authorized_default", "sets interface_authorized_default" },
        { "bConfigurationValue", "sets bConfigurationValue" },
        { "remove", "removes the device" },
        { "drivers_autoprobe", "sets drivers_autoprobe" },
        { "sriov_drivers_autoprobe", "sets sriov_drivers_autoprobe" },
        { "bind", "binds a driver" },
        { "unbind", "unbinds a driver" },
        { "new_id", "gives a driver new IDs" },
        { "remove_id", "takes IDs from a driver" },
};

/* ---------------------------------------------------------------------------------------------- programs */

static bool is_one_of(const char *name, size_t n, const char *const *names) {
        for (; *names; names++)
                if (strlen(*names) == n && strncmp(name, *names, n) == 0)
                        return true;
        return false;
}

static bool is_word_byte(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c != '\0' && strchr("_-.", c));
}

/* Does the command have one of these words, as a part of a path or by itself? */
static bool command_names(const char *command, const char *const *names) {
        for (const char *p = command; *p != '\0';) {
                size_t n = 0;

                while (is_word_byte(p[n]))
                        n++;
                if (n > 0 && is_one_of(p, n, names))
                        return true;
                p += n > 0 ? n : 1;
        }
        return false;
}

/* What a program of a package has to do with drivers; NULL: nothing. */
static const char *program_deed(const char *command) {
        static const char *const kmod[] = { "modprobe", "insmod", "rmmod", "kmod", "lkmctl", NULL };
        static const char *const driver[] = {
                "driverctl", "driver_override", "authorized", "authorized_default", "bind",
                "unbind",    "new_id",          "remove_id",  "drivers_autoprobe",  NULL
        };

        if (command_names(command, kmod))
                return "calls modprobe";
        return command_names(command, driver) ? "runs a program that decides about drivers" : NULL;
}

/* Programs that administrators and tools have in their own rules, and that do nothing to a device. */
static bool is_harmless(const char *command) {
        static const char *const names[] = { "snap-device-helper",
                                             "systemctl",
                                             "systemd-run",
                                             "loginctl",
                                             "logger",
                                             "chmod",
                                             "chown",
                                             "chgrp",
                                             "setfacl",
                                             "touch",
                                             NULL };
        size_t n = strcspn(command, " \t");
        const char *name = command;

        for (const char *c = command; c < command + n; c++)
                if (*c == '/')
                        name = c + 1;
        return is_one_of(name, (size_t) (command + n - name), names) && !program_deed(command);
}

static const char *what_program_does(const char *command, bool local) {
        const char *deed = program_deed(command);

        if (deed || !local || command[0] == '\0' || is_harmless(command))
                return deed;
        return "runs a program";
}

/* Modules whose names begin so are drivers for devices that other drivers, or other machines, would have. */
static bool takes_devices(const char *module) {
        static const char *const names[] = { "vfio",  "pci-stub",    "pci_stub",   "uio",
                                             "usbip", "xen-pciback", "xen_pciback" };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (startswith(module, names[i]))
                        return true;
        return false;
}

/*
 * "load NAME..": a package that has one more module loaded, such as sg for SCSI devices, changes nothing for the
 * drivers; one of a module that takes devices from their drivers does, and so does "load" without a name, for the
 * device itself.
 */
static const char *what_kmod_does(const char *arguments, bool local) {
        static const char deed[] = "calls kmod";
        const char *p = arguments + strspn(arguments, " \t");
        bool named = false;

        if (local)
                return deed;
        p += strcspn(p, " \t");         /* "load" */
        for (;;) {
                size_t n;

                p += strspn(p, " \t");
                n = strcspn(p, " \t");
                if (n == 0)
                        break;
                named = true;
                if (strchr("$%'\"", *p) || takes_devices(p))
                        return deed;
                p += n;
        }
        return named ? NULL : deed;
}

static const char *what_builtin_does(const char *command, bool local) {
        static const char name[] = "kmod";
        size_t n = strcspn(command, " \t");

        return n == strlen(name) && strncmp(command, name, n) == 0 ? what_kmod_does(command + n, local)
                                                                   : NULL;
}

/* ------------------------------------------------------------------------------------------------ keys */

static const char *last_part(const char *path) {
        const char *end = strrchr(path, ']'), *slash;

        path = end ? end + 1 : path;    /* [subsystem/device]attribute */
        slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

/**
 * udev_key_deed() - what a key of a rule does that matters to drivers
 * @local: the rule is the administrator's rather than a package's
 *
 * Return: a constant, "sets driver_override"; NULL: nothing.
 */
const char *udev_key_deed(const UdevKey *key, bool local) {
        assert(key);

        if (streq(key->name, "PROGRAM")) /* a condition, whatever its operator is */
                return what_program_does(key->value, local);
        if (streq(key->name, "IMPORT") && key->attribute) {
                const char *deed = what_builtin_does(key->value, local);

                if (deed || !streq(key->attribute, "program"))
                        return streq(key->attribute, "program") || streq(key->attribute, "builtin") ? deed
                                                                                                    : NULL;
                return what_program_does(key->value, local);
        }
        if (key->matches)
                return NULL;
        if (streq(key->name, "RUN"))
                return key->attribute && streq(key->attribute, "builtin")
                               ? what_builtin_does(key->value, local)
                               : what_program_does(key->value, local);
        if (streq(key->name, "ENV"))
                return streq_ptr(key->attribute, "MODALIAS") ? "sets MODALIAS" : NULL;
        if (streq(key->name, "ATTR") && key->attribute)
                for (size_t i = 0; i < ARRAY_LEN(deciding); i++)
                        if (streq(last_part(key->attribute), deciding[i].attribute))
                                return deciding[i].deed;
        return NULL;
}
