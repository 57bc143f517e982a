/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Inquiry: see inquiry.h. */

#include "cli/reasons/inquiry.h"

#include <assert.h>
#include <limits.h>

#include "cli/machine/attribute.h"
#include "cli/print/fields.h"

/* The driver of the device; NULL: it has none, or there is no device. */
const char *inquiry_driver(const Inquiry *q) {
        assert(q);

        return q->device ? q->device->uevent.facts.driver : NULL;
}

/* Devices of a bus get drivers; those of a class, such as input, are only known by a module. Return: 1; 0; -ENOMEM. */
int inquiry_can_have_driver(const Inquiry *q) {
        _cleanup_(freep) char *link = NULL;
        char target[PATH_MAX];
        ssize_t n;

        assert(q && q->device);

        if (asprintf(&link, "%s%s/subsystem", q->machine->sys, q->device->path) < 0) {
                link = NULL;
                return -ENOMEM;
        }
        n = readlink(link, target, sizeof(target) - 1);
        if (n < 0)
                return 0;
        target[n] = '\0';
        return strstr(target, "bus/") != NULL;
}

/* Is the module ready in the kernel, or a part of it? Return: 1; 0; -ENOMEM. */
int inquiry_is_in_kernel(const Inquiry *q) {
        _cleanup_(freep) char *directory = NULL, *state = NULL;
        int r;

        assert(q && q->module);

        if (!q->module->path)
                return 1;
        if (asprintf(&directory, "%s/module/%s", q->machine->sys, q->name) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        r = attribute_new(directory, "initstate", &state);
        return r == -ENOMEM ? r : r >= 0 && streq(state, "live");
}

/* When the module in the kernel was loaded, since boot: what was logged earlier is about another one. 0: not known. */
uint64_t inquiry_loaded_usec(const Inquiry *q) {
        sd_json_variant *record;

        assert(q);

        record = field_object(field_object(q->described, "module"), "loadedBy");
        return field_number(record, "beganUSec") ?: field_number(record, "endedUSec");
}
