/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * OwnDevices: see own-devices.h. /sys does not say which module a device number is of. It is the module's if the
 * device is below one that is bound to the module, if an alias of the module names the number or the node, or if the
 * number was registered with the module's name, as /proc/devices and /proc/misc have it; some drivers took another
 * name.
 */

#include "cli/holders/own-devices.h"

#include <assert.h>
#include <limits.h>
#include <sys/sysmacros.h>

#include "cli/machine/proc-file.h"
#include "common/base/array.h"
#include "common/base/string-list.h"

#define MISC_MAJOR 10U                  /* include/uapi/linux/major.h */
#define INPUT_MAJOR 13U

/* register_blkdev(), register_chrdev() with other names than the module's. */
static const struct {
        const char *registered, *module;
} other_names[] = {
        { "device-mapper", "dm_mod" }, { "nullb", "null_blk" }, { "virtblk", "virtio_blk" }, { "md", "md_mod" },
        { "mdp", "md_mod" },           { "sd", "sd_mod" },      { "sr", "sr_mod" },          { "st", "st" },
        { "kvm", "kvm_intel" },        { "kvm", "kvm_amd" },    { "input", "input" },        { "tun", "tun" },
};

static bool is_registered_name(const Subject *s, const char *name) {
        if (subject_is_named(s, "", name))
                return true;
        for (size_t i = 0; i < ARRAY_LEN(other_names); i++)
                if (streq(other_names[i].registered, name) && streq(other_names[i].module, s->module))
                        return true;
        return false;
}

/* The majors of the module, in /proc/devices: "Character devices:", lines "MAJOR NAME", "Block devices:", such lines. */
static int read_majors(const Subject *s, char ***ret) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line, *words[2], key[32];
        const char *type = "char";
        int r;

        r = proc_file_new(&text, "%s/devices", s->proc);
        for (rest = text; r >= 0 && (line = proc_file_line(&rest));) {
                if (startswith(line, "Block"))
                        type = "block";
                if (proc_line_split(line, words, 2) != 2 || !is_registered_name(s, words[1]))
                        continue;
                (void) snprintf(key, sizeof(key), "%s/%.16s:", type, words[0]);
                r = string_list_append(ret, key, strlen(key));
        }
        return r == -ENOMEM ? r : 0;
}

/* An event device of an input device is of the handler's module, such as evdev: input_register_handler(). */
static bool is_input_handler(const Subject *s, const char *name) {
        return (startswith(name, "event") && streq(s->module, "evdev")) ||
               ((startswith(name, "mouse") || startswith(name, "mice")) && streq(s->module, "mousedev")) ||
               (startswith(name, "js") && streq(s->module, "joydev"));
}

/*
 * @type:  "char" or "block"
 * @key:   "MAJOR:MINOR"
 *
 * How many references an open file has: a character device counts its own and those of its operations, chrdev_open();
 * a device of another device has the module of that once, as those of sound cards; input devices not at all.
 */
static bool is_own(const Subject *s, char *const *majors, const char *type, const char *key,
                   const char *path, unsigned *ret_references) {
        const char *name = strrchr(path, '/') + 1;
        bool block = streq(type, "block");
        unsigned major = (unsigned) strtoul(key, NULL, 10);
        char alias[64], number[24];

        (void) snprintf(number, sizeof(number), "%.23s", key);
        if (strchr(number, ':'))
                *strchr(number, ':') = '-';
        (void) snprintf(alias, sizeof(alias), "%s-major-%s", type, number);
        *ret_references = block || major == MISC_MAJOR ? 1 : 2;
        if (subject_has_alias(s, alias, "") || (!block && subject_has_alias(s, "devname:", name)))
                return true;
        if (!block && major == MISC_MAJOR && is_registered_name(s, name))
                return true;
        (void) snprintf(number, sizeof(number), "%s/%u:", type, major);
        if (string_list_contains(majors, number) || (major == INPUT_MAJOR && is_input_handler(s, name)))
                return true;
        *ret_references = !block && major == INPUT_MAJOR ? 0 : 1;
        return subject_is_below(s, path);
}

static int add(Subject *s, bool block, const char *key, const char *path, unsigned references) {
        unsigned major, minor;
        OwnDevice device = { .block = block, .references = references };

        if (sscanf(key, "%u:%u", &major, &minor) != 2)
                return 0;
        if (array_grow(&s->devices, s->n_devices, sizeof(*s->devices)) < 0)
                return -ENOMEM;
        device.number = makedev(major, minor);
        device.path = strdup(path);
        if (!device.path)
                return -ENOMEM;
        s->devices[s->n_devices++] = device;
        return 0;
}

static int read_directory(Subject *s, char *const *majors, const char *type) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char path[PATH_MAX], target[PATH_MAX];
        struct dirent *entry;
        int r = 0;

        if (snprintf(path, sizeof(path), "%s/dev/%s", s->sys, type) < (int) sizeof(path))
                dir = opendir(path);
        while (r >= 0 && dir && (entry = readdir(dir))) {
                ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
                const char *device;
                unsigned references;

                if (n <= 0)
                        continue;
                target[n] = '\0';
                device = strstr(target, "/devices/");
                if (device && is_own(s, majors, type, entry->d_name, device, &references))
                        r = add(s, streq(type, "block"), entry->d_name, device, references);
        }
        return r;
}

/**
 * own_devices_read() - fill s->devices
 *
 * s->aliases and s->bound are known before.
 *
 * Return: 0; -ENOMEM.
 */
int own_devices_read(Subject *s) {
        _cleanup_(string_list_freep) char **majors = NULL;
        int r;

        assert(s);

        r = read_majors(s, &majors);
        if (r >= 0)
                r = read_directory(s, majors, "char");
        return r < 0 ? r : read_directory(s, majors, "block");
}
