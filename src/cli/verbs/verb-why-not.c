/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* why-not: the first thing that stands in the way of a module, or of a driver for a device. */

#include <assert.h>

#include "cli/offline/device-id.h"
#include "cli/offline/offline.h"
#include "cli/offline/suggestion.h"
#include "cli/print/format.h"
#include "cli/verbs/machine-look.h"
#include "cli/verbs/verbs.h"
#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "common/interface/interface.h"

static void print_device(const Output *out, const Device *d, const char *name) {
        printf("%s", output_tone(out, stdout, TONE_STRONG));
        print_escaped(stdout, d->uevent.facts.sysname ?: d->path);
        if (name && !streq_ptr(name, d->uevent.facts.sysname)) {
                printf(", ");
                print_escaped(stdout, name);
        }
        printf("%s\n", output_tone(out, stdout, TONE_PLAIN));
}

static int show(Run *run, const WhyNot *w, const char *subject, const Device *device) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *object = NULL;
        _cleanup_(freep) char *syspath = NULL, *name = NULL;
        int r;

        if (run->out.json != JSON_OFF) {
                r = why_not_to_json(w, subject, &object);
                return r < 0 ? r : output_json(&run->out, object);
        }
        if (!output_wants_text(&run->out))
                return 0;
        if (!device) {
                why_not_print(&run->out, w, "");
                return 0;
        }
        if (asprintf(&syspath, "/sys%s", device->path) < 0) {
                syspath = NULL;
                return -ENOMEM;
        }
        r = device_name_new(syspath, &name);
        if (r < 0)
                return r;
        print_device(&run->out, device, name);
        why_not_print(&run->out, w, "  ");
        return 0;
}

static int answer_device(Run *run, const MachineLook *look, const Device *d, bool *unknown) {
        WhyNot w = {};
        int r;

        r = why_not_of_device(&look->asker, d, &w);
        if (r >= 0)
                r = show(run, &w, d->path, d);
        *unknown |= w.unknown;
        why_not_clear(&w);
        return r;
}

/* A USB device has no modalias; its interfaces have. */
static int answer_devices(Run *run, const MachineLook *look, DeviceList *devices) {
        bool unknown = false, list = devices->n_items > 1;
        int r = 0, e;

        if (list)
                output_list_begin(&run->out);
        for (size_t i = 0; r >= 0 && i < devices->n_items; i++)
                r = answer_device(run, look, devices->items[i], &unknown);
        e = list ? output_list_end(&run->out) : 0;
        if (r < 0 || e < 0)
                return r < 0 ? r : e;
        return unknown ? STATUS_NO_SUCH_MODULE : STATUS_DONE;
}

/* @l gets @d, or its interfaces. @d: taken. */
static int add_device(DeviceList *l, Device *d) {
        const char *keys[DEVICE_KEYS_MAX];
        size_t before = l->n_items;
        int r = 0;

        if (device_keys(&d->uevent.facts, keys) == 0)
                r = device_interfaces(d, l);
        if (r >= 0 && l->n_items == before)
                r = device_list_add(l, d);
        else
                device_free(d);
        return r;
}

static int find_devices(const char *argument, DeviceList *ret) {
        _cleanup_(device_list_clear) DeviceList found = {};
        _cleanup_(device_freep) Device *d = NULL;
        int r;

        if (!device_id_is(argument)) {
                r = device_find(&d, argument);
                return r < 0 ? r : add_device(ret, STEAL_PTR(d));
        }
        r = device_id_find(argument, &found);
        for (size_t i = 0; r >= 0 && i < found.n_items; i++)
                r = add_device(ret, STEAL_PTR(found.items[i]));
        return r < 0 ? r : ret->n_items > 0 ? 0 : -ENODEV;
}

static int report_no_device(Run *run, const char *argument, int error) {
        if (error == -EACCES)
                return failure_print_own(&run->out, CLIENT_ERROR_LOCAL, "the same with sudo",
                                         "'%s' may not be read", argument);
        if (error == -ENOTUNIQ)
                return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_DEVICE, NO_SUCH_DEVICE_HINT,
                                         "several devices are called '%s'", argument);
        if (error != -ENODEV)
                return error;
        return failure_print_own(&run->out, LKMD_ERROR_NO_SUCH_DEVICE, NO_SUCH_DEVICE_HINT,
                                 "there is no device '%s'", argument);
}

static int answer_key(Run *run, const MachineLook *look, const char *key, WhyNot *w) {
        int r = show(run, w, key, NULL);

        return r < 0 ? r : w->unknown ? STATUS_NO_SUCH_MODULE : STATUS_DONE;
}

int verb_why_not(Run *run, char **args, unsigned n_args) {
        _cleanup_(machine_look_close) MachineLook look = {};
        _cleanup_(device_list_clear) DeviceList devices = {};
        _cleanup_(why_not_clear) WhyNot w = {};
        char file_name[MODULE_NAME_MAX + 1];
        int r;

        r = machine_look_open(run, &look);
        if (r != 0)
                return r;
        if (!device_is_path(args[0]) && !device_id_is(args[0])) {
                if (suggestion_from_file(args[0], file_name))
                        args[0] = file_name;
                look.asker.container = run->container;
                r = why_not_of_key(&look.asker, args[0], &w);
                if (r < 0 || !w.unknown)
                        return r < 0 ? r : answer_key(run, &look, args[0], &w);
        }
        if (run->container)
                return failure_print_own(
                        &run->out, CLIENT_ERROR_USAGE, "lkmctl why-not MODULE --container NAME",
                        "a container asks for a module or an alias, and '%s' is none", args[0]);
        r = find_devices(args[0], &devices);
        if (r >= 0)
                return answer_devices(run, &look, &devices);
        if (r == -ENODEV && w.causes.n_items > 0)
                return answer_key(run, &look, args[0], &w);
        return report_no_device(run, args[0], r);
}
