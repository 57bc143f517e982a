/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DeviceFacts: the one place that knows the properties of uevents, for lkmd and lkmctl. Owns nothing.
 *
 * The property MODALIAS of the uevent counts, as in udev's rule, which checks ENV{MODALIAS}; the file
 * "modalias" of a device does not. The file "uevent" has the lines of the event itself, as uevent_show() of
 * drivers/base/core.c writes them, without ACTION, DEVPATH and SUBSYSTEM.
 */

#include "common/device/device-facts.h"

#include <assert.h>
#include <fcntl.h>

#include "common/base/util.h"

static const struct {
        const char *key;
        size_t offset;
} properties[] = {
        { "ACTION", offsetof(DeviceFacts, action) },
        { "SUBSYSTEM", offsetof(DeviceFacts, subsystem) },
        { "DRIVER", offsetof(DeviceFacts, driver) },
        { "MODALIAS", offsetof(DeviceFacts, modalias) },
        { "TIFM_CARD_TYPE", offsetof(DeviceFacts, tifm_card_type) },
        { "MTD_FTL", offsetof(DeviceFacts, mtd_ftl) },
};

/* All members are strings. */
#define N_FACTS (sizeof(DeviceFacts) / sizeof(const char *))
_Static_assert(N_FACTS * sizeof(const char *) == sizeof(DeviceFacts), "DeviceFacts has strings only");

static const char **property_of(DeviceFacts *facts, size_t i) {
        return (const char **) ((char *) facts + properties[i].offset);
}

/**
 * device_facts_collect() - fetch all properties
 * @facts: what is not there keeps its value
 */
void device_facts_collect(DeviceFacts *facts, device_property_t get, void *userdata) {
        assert(facts && get);

        for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
                const char *value = get(properties[i].key, userdata);

                if (value)
                        *property_of(facts, i) = value;
        }
}

static char *last_part(char *path) {
        char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* As in libudev: '!' stands for '/' in names below /sys. */
static char *make_sysname(char *name) {
        for (char *c = name; (c = strchr(c, '!')); c++)
                *c = '/';
        return name;
}

/* "KEY=VALUE"; other text, such as the head of a message, is ignored. */
static void take(DeviceFacts *facts, char *assignment) {
        char *value = strchr(assignment, '=');

        if (!value)
                return;
        *value++ = '\0';
        if (streq(assignment, "DEVPATH"))
                facts->sysname = make_sysname(last_part(value));
        for (size_t i = 0; i < ARRAY_LEN(properties); i++)
                if (streq(assignment, properties[i].key))
                        *property_of(facts, i) = value;
}

/**
 * device_facts_parse() - the properties of a uevent
 * @facts: borrows from @text; what is not there keeps its value
 * @text:  assignments, each ended by a line break, as in the file "uevent", or by a NUL, as in a message of
 *         the kernel; changed. A NUL is behind its @size bytes
 */
void device_facts_parse(DeviceFacts *facts, char *text, size_t size) {
        assert(facts && text && text[size] == '\0');

        for (char *line = text, *end; line < text + size; line = end + 1) {
                end = line + strcspn(line, "\n");
                *end = '\0';
                take(facts, line);
        }
}

bool device_facts_equal(const DeviceFacts *a, const DeviceFacts *b) {
        const char *const *x = (const char *const *) a, *const *y = (const char *const *) b;

        assert(a && b);

        for (size_t i = 0; i < N_FACTS; i++)
                if (!streq_ptr(x[i], y[i]))
                        return false;
        return true;
}

/* Bytes of the strings, for a copy. */
size_t device_facts_size(const DeviceFacts *facts) {
        const char *const *from = (const char *const *) facts;
        size_t size = 0;

        assert(facts);

        for (size_t i = 0; i < N_FACTS; i++)
                size += from[i] ? strlen(from[i]) + 1 : 0;
        return size;
}

/**
 * device_facts_copy() - copy the facts with their strings
 * @memory: device_facts_size() bytes; @ret borrows from it
 */
void device_facts_copy(DeviceFacts *ret, const DeviceFacts *facts, char *memory) {
        const char *const *from = (const char *const *) facts;
        const char **to = (const char **) ret;

        assert(ret && facts && memory);

        for (size_t i = 0; i < N_FACTS; i++) {
                to[i] = from[i] ? memory : NULL;
                if (from[i])
                        memory = stpcpy(memory, from[i]) + 1;
        }
}

static void read_subsystem(DeviceUevent *u, int dir_fd) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(dir_fd, "subsystem", target, sizeof(target) - 1);

        if (n <= 0)
                return;
        target[n] = '\0';
        (void) snprintf(u->subsystem, sizeof(u->subsystem), "%.*s", NAME_MAX, last_part(target));
        u->facts.subsystem = u->subsystem;
}

/**
 * device_uevent_read() - the facts of a device in /sys, as of an event "add"
 * @syspath: without links
 *
 * Return: 0; -ENODEV: there is no such device; -EACCES: this process may not read it.
 */
int device_uevent_read(DeviceUevent *ret, const char *syspath) {
        _cleanup_(closep) int dir_fd = -EBADF, fd = -EBADF;
        const char *slash;
        ssize_t n;

        assert(ret && syspath);

        dir_fd = open(syspath, O_PATH | O_DIRECTORY | O_CLOEXEC);
        fd = dir_fd >= 0 ? openat(dir_fd, "uevent", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -EBADF;
        n = fd >= 0 ? read(fd, ret->text, sizeof(ret->text) - 1) : -1;
        if (n < 0)
                return errno == EACCES ? -EACCES : -ENODEV;
        ret->text[n] = '\0';

        ret->facts = (DeviceFacts) {};
        device_facts_parse(&ret->facts, ret->text, (size_t) n);
        ret->facts.action = "add";
        slash = strrchr(syspath, '/');
        (void) snprintf(ret->sysname, sizeof(ret->sysname), "%.*s", NAME_MAX, slash ? slash + 1 : syspath);
        ret->facts.sysname = make_sysname(ret->sysname);
        read_subsystem(ret, dir_fd);
        return 0;
}
