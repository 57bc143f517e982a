/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CauseOutcome: see cause-outcome.h. Owns nothing. */

#include "cli/reasons/cause-outcome.h"

#include <assert.h>
#include <glob.h>
#include <sys/stat.h>

#include "cli/machine/attribute.h"
#include "cli/machine/module-build.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "common/base/clock.h"
#include "common/explain/error-text.h"
#include "common/module/module-elf.h"

/* --------------------------------------------------------------------------------------------------- lkmd's record */

static int on_under_way(const Inquiry *q, Cause *ret) {
        const char *state = field_string(field_object(q->described, "module"), "state");
        _cleanup_(freep) char *command = NULL;

        if (!streq_ptr(state, "queued") && !streq_ptr(state, "coming"))
                return 0;
        if (asprintf(&command, "lkmctl wait --module %s; lkmctl status %s", q->name, q->name) < 0) {
                command = NULL;
                return -ENOMEM;
        }
        return cause_make(ret, CAUSE_UNDER_WAY, q->name, command,
                          streq(state, "queued") ? "%s waits for its turn in lkmd"
                                                 : "%s is being loaded: its init is running",
                          q->name);
}

/* What the sentence of a failure is about, by what the kernel logged. */
static CauseKind kind_of_failure(const Inquiry *q, sd_json_variant *record) {
        static const struct {
                const char *words;
                CauseKind kind;
        } kinds[] = {
                { "' invalid for parameter `", CAUSE_PARAMETER_REFUSED },
                { "' too large for parameter `", CAUSE_PARAMETER_REFUSED },
                { "Unknown parameter `", CAUSE_PARAMETER_REFUSED },
                { "Direct firmware load for ", CAUSE_FIRMWARE_MISSING },
                { "Unknown symbol ", CAUSE_UNKNOWN_SYMBOL },
                { "version magic '", CAUSE_VERMAGIC },
                { "disagrees about version of symbol ", CAUSE_VERMAGIC },
                { "Loading of ", CAUSE_UNSIGNED },
                { "Lockdown: ", CAUSE_LOCKDOWN },
        };
        uint64_t since = field_number(record, "beganUSec");
        CauseKind kind = CAUSE_LOAD_FAILED;
        const char *line;
        size_t at = 0;

        while ((line = kernel_lines_next(q->kernel_lines, since, &at)))
                for (size_t i = 0; error_text_concerns(q->name, line) && i < ARRAY_LEN(kinds); i++)
                        if (strstr(line, kinds[i].words))
                                kind = kinds[i].kind;
        return kind;
}

static int age_new(uint64_t realtime_usec, char **ret) {
        uint64_t now = clock_usec(CLOCK_REALTIME);
        size_t size;
        FILE *f = open_memstream(ret, &size);

        if (!f)
                return -ENOMEM;
        print_age(f, now - MIN(realtime_usec, now));
        return fclose(f) == 0 ? 0 : -ENOMEM;
}

/* The last attempt of lkmd's, if it failed; NULL: none, or it did not. */
static sd_json_variant *last_failure(const Inquiry *q) {
        sd_json_variant *record = sd_json_variant_by_index(field_array(q->described, "history"), 0);

        return record && record_is_failure(record) && sd_json_variant_by_key(record, "reason") ? record
                                                                                               : NULL;
}

static const char *planned_parameters(const Inquiry *q) {
        for (size_t i = 0; q->plan && i < q->plan->n_steps; i++)
                if (streq(q->plan->steps[i].module, q->module->name))
                        return q->plan->steps[i].parameters ?: "";
        return "";
}

/* Would the next attempt be another one: with other parameters, or of another file? */
static bool is_outdated(const Inquiry *q, sd_json_variant *record) {
        const char *parameters = field_string(record, "parameters") ?: "";
        struct stat st;

        if (!streq(parameters, planned_parameters(q)))
                return true;
        return q->module->path && stat(q->module->path, &st) == 0 &&
               (uint64_t) st.st_ctim.tv_sec * USEC_PER_SEC + (uint64_t) st.st_ctim.tv_nsec / 1000 >
                       field_number(record, "timeUSec");
}

static int on_failure(const Inquiry *q, Cause *ret) {
        sd_json_variant *record = last_failure(q);
        _cleanup_(freep) char *age = NULL;
        int r;

        if (!record || is_outdated(q, record))
                return 0;
        r = age_new(field_number(record, "timeUSec"), &age);
        if (r < 0)
                return r;
        return cause_make(ret, kind_of_failure(q, record), q->name, field_string(record, "hint"),
                          "%s (tried %s)", field_string(record, "message") ?: "the load failed", age);
}

/**
 * outcome_of_earlier() - the last attempt, which failed, and would be another one now
 * @ret: to follow a sentence: "; it failed 2min ago with a=1: REASON"; NULL: there is none
 *
 * Return: 0; -ENOMEM.
 */
int outcome_of_earlier(const Inquiry *q, char **ret) {
        sd_json_variant *record = last_failure(q);
        const char *parameters = field_string(record, "parameters");
        _cleanup_(freep) char *age = NULL;
        int r;

        assert(q && ret);

        if (!record)
                return 0;
        r = age_new(field_number(record, "timeUSec"), &age);
        if (r < 0)
                return r;
        if (asprintf(ret, "; it failed %s%s%s: %s", age, parameters ? " with " : "", parameters ?: "",
                     field_string(record, "message") ?: "the kernel did not take it") < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

static bool is_waiting(const Inquiry *q, sd_json_variant *entry) {
        const char *module = field_string(entry, "module"), *name = field_string(entry, "name");

        return is_same_module(module, q->name) || is_same_module(module, q->module->name) ||
               is_same_module(name, q->module->name);
}

/* It is listed for the boot, has found no device, and is tried again when one comes. */
static int on_waiting(const Inquiry *q, Cause *ret) {
        sd_json_variant *waiting = field_array(q->status, "waitingForDevice");

        ARRAY_FOREACH_INDEX(waiting, i) {
                sd_json_variant *entry = sd_json_variant_by_index(waiting, i);
                const char *file = field_string(entry, "file"), *module = field_string(entry, "module");
                _cleanup_(freep) char *age = NULL;
                int r;

                if (!is_waiting(q, entry))
                        continue;
                r = age_new(field_number(entry, "sinceUSec"), &age);
                if (r >= 0)
                        r = cause_make(
                                ret, CAUSE_WAITS_FOR_DEVICE, q->name, "lspci -nnk; lsusb; lkmctl monitor",
                                "%s is listed for the boot, and %s found no device (%s): lkmd tries again when one comes "
                                "that it is for",
                                q->name, is_same_module(module, q->name) ? "has" : module, age);
                return r < 0 || !file ? r : cause_place(ret, file, (unsigned) field_number(entry, "line"));
        }
        return 0;
}

/* Return: as a cause_look_t. */
int cause_of_outcome(const Inquiry *q, Cause *ret) {
        int r;

        assert(q && q->module && ret);

        r = q->described ? on_under_way(q, ret) : 0;
        if (r == 0)
                r = on_waiting(q, ret);
        return r == 0 && q->described ? on_failure(q, ret) : r;
}

/* -------------------------------------------------------------------------------------------------------- firmware */

static bool is_there(const char *directory, const char *name) {
        static const char *const endings[] = { "", ".xz", ".zst" }; /* drivers/base/firmware_loader/main.c */

        for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
                _cleanup_(globfree) glob_t matches = {};
                _cleanup_(freep) char *pattern = NULL;

                if (asprintf(&pattern, "%s/%s%s", directory, name, endings[i]) < 0) {
                        pattern = NULL;
                        return true;    /* without memory nothing is said to be missing */
                }
                if (glob(pattern, GLOB_NOSORT, NULL, &matches) == 0)
                        return true;
        }
        return false;
}

/* The directories are those of fw_path[], drivers/base/firmware_loader/main.c. Return: 1; 0; -ENOMEM. */
static int firmware_is_there(const Inquiry *q, const char *name) {
        _cleanup_(freep) char *own = NULL, *of_kernel = NULL, *updates = NULL, *updates_of_kernel = NULL;
        const char *base = q->machine->firmware;
        int r;

        r = attribute_new(q->machine->sys, "module/firmware_class/parameters/path", &own);
        if (r == -ENOMEM)
                return r;
        if (asprintf(&updates_of_kernel, "%s/updates/%s", base, q->machine->release) < 0 ||
            asprintf(&updates, "%s/updates", base) < 0 ||
            asprintf(&of_kernel, "%s/%s", base, q->machine->release) < 0)
                return -ENOMEM;
        return (own && *own && is_there(own, name)) || is_there(updates_of_kernel, name) ||
               is_there(updates, name) || is_there(of_kernel, name) || is_there(base, name);
}

static int make_firmware(const Inquiry *q, const char *file, Cause *ret) {
        _cleanup_(freep) char *message = NULL, *hint = NULL, *line = NULL;
        const char *lines[1];
        int r;

        if (asprintf(&line, "%s: Direct firmware load for %s failed with error -2", q->name, file) < 0) {
                line = NULL;
                return -ENOMEM;
        }
        lines[0] = line;
        r = error_text_insert(q->name, ENOENT, lines, 1, distribution_of_system(), &message, &hint);
        return r < 0 ? r : cause_make(ret, CAUSE_FIRMWARE_MISSING, q->name, hint, "%s", message);
}

/* "e1000e 0000:00:03.0: Direct firmware load for FILE failed with error -2" */
static int on_logged_firmware(const Inquiry *q, Cause *ret) {
        static const char words[] = ": Direct firmware load for ";
        const char *sysname = q->device->uevent.facts.sysname, *line;
        size_t at = 0;

        while ((line = kernel_lines_next(q->kernel_lines, inquiry_loaded_usec(q), &at))) {
                const char *found = strstr(line, words), *file, *end;
                _cleanup_(freep) char *name = NULL;
                int r;

                if (!found || !sysname || (size_t) (found - line) < strlen(sysname) ||
                    strncmp(found - strlen(sysname), sysname, strlen(sysname)) != 0)
                        continue;
                file = found + strlen(words);
                end = strstr(file, " failed");
                name = end ? strndup(file, (size_t) (end - file)) : NULL;
                if (!name)
                        continue;
                r = firmware_is_there(q, name);
                if (r == 0)
                        return make_firmware(q, name, ret);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * A device without its driver, whose module is in the kernel and names firmware, none of which is here. A module names
 * what any of its devices may want, so a part may well be missing.
 */
static int on_named_firmware(const Inquiry *q, Cause *ret) {
        _cleanup_(module_elf_freep) ModuleElf *elf = NULL;
        const char *file, *first = NULL;
        size_t at = 0;
        int r;

        if (!q->module->path)
                return 0;
        r = module_elf_new(&elf, q->module->path);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        while ((file = module_elf_info(elf, "firmware", &at))) {
                first = first ?: file;
                r = firmware_is_there(q, file);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        return first ? make_firmware(q, first, ret) : 0;
}

int cause_of_firmware(const Inquiry *q, Cause *ret) {
        int r;

        assert(q && q->device && q->module && ret);

        r = on_logged_firmware(q, ret);
        return r == 0 ? on_named_firmware(q, ret) : r;
}

/* ------------------------------------------------------------------------------------------ who loads, and what */

/* lkmd waits for udev with some devices, and this one has no driver yet. */
static int on_udev(const Inquiry *q, Cause *ret) {
        sd_json_variant *rule = sd_json_variant_by_index(field_array(q->status, "afterUdev"), 0);
        const char *file = field_string(rule, "file");
        int r;

        if (!q->device || !rule || !file || field_number(q->status, "waitingForUdev") == 0)
                return 0;
        r = cause_make(ret, CAUSE_WAITS_FOR_UDEV, q->name, "udevadm settle; lkmctl status",
                       "lkmd waits until udev is through with devices such as this: %s %s", file,
                       field_string(rule, "reason") ?: "may do something to them");
        return r < 0 ? r : cause_place(ret, file, (unsigned) field_number(rule, "line"));
}

int cause_of_charge(const Inquiry *q, Cause *ret) {
        const char *charge = field_string(q->status, "inCharge");
        int r;

        assert(q && ret);

        if (!q->status)
                return cause_make(
                        ret, CAUSE_NOT_RUNNING, q->name, "systemctl status lkmd; systemctl start lkmd",
                        "lkmd is not running, or does not answer: udev loads drivers, and lkmctl loads nothing");
        r = on_udev(q, ret);
        if (r != 0 || !q->device || !streq_ptr(charge, "udev"))
                return r;
        return cause_make(ret, CAUSE_NOT_IN_CHARGE, q->name,
                          field_string(q->status, "steppedBackRemedy") ?: "lkmctl status",
                          "lkmd leaves devices to udev: %s",
                          field_string(q->status, "steppedBack") ?: "an own rule of udev's is in force");
}

int cause_of_stale_build(const Inquiry *q, Cause *ret) {
        _cleanup_(module_build_clear) ModuleBuild loaded = {}, on_disk = {};
        _cleanup_(freep) char *command = NULL;
        int r;

        assert(q && ret);

        if (!q->module || !q->module->path)
                return 0;
        r = module_build_of_kernel(q->machine, q->name, &loaded);
        if (r >= 0)
                r = module_build_of_file(q->module->path, &on_disk);
        if (r < 0 || module_build_compare(&loaded, &on_disk) != BUILD_OTHER)
                return r == -ENOMEM ? r : 0;
        if (asprintf(&command, "lkmctl unload %s && lkmctl load %s", q->name, q->name) < 0) {
                command = NULL;
                return -ENOMEM;
        }
        return cause_make(ret, CAUSE_STALE, q->name, command,
                          "%s in the kernel is another build than its file, %s, which was replaced since",
                          q->name, q->module->path);
}
