/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cause: see cause.h. Owns its strings. Names from files and devices are escaped when a sentence is made of them. */

#include "cli/reasons/cause.h"

#include <assert.h>

#include "cli/print/format.h"
#include "cli/print/wrap.h"
#include "common/base/array.h"
#include "common/base/text.h"

/* The name in JSON, and the words of a table. */
static const struct {
        const char *name, *words;
} kinds[_CAUSE_KIND_MAX] = {
        [CAUSE_NO_INDEX] = { "no_index", "no modules of this kernel" },
        [CAUSE_NO_SUCH_MODULE] = { "no_such_module", "no module for it" },
        [CAUSE_OTHER_KERNEL] = { "other_kernel", "only in another kernel" },
        [CAUSE_NOT_BUILT] = { "not_built", "not built" },
        [CAUSE_NOT_INSTALLED] = { "not_installed", "not installed" },
        [CAUSE_INDEX_STALE] = { "index_stale", "depmod has not run" },
        [CAUSE_TURNED_OFF] = { "turned_off", "turned off" },
        [CAUSE_DENIED] = { "denied", "denied" },
        [CAUSE_BLACKLISTED] = { "blacklisted", "blacklisted" },
        [CAUSE_COMMAND] = { "command", "install line" },
        [CAUSE_LEFT_OUT] = { "left_out", "left out" },
        [CAUSE_FILE_MISSING] = { "file_missing", "file missing" },
        [CAUSE_FILE_UNUSABLE] = { "file_unusable", "file unusable" },
        [CAUSE_VERMAGIC] = { "vermagic", "for another kernel" },
        [CAUSE_UNKNOWN_SYMBOL] = { "unknown_symbol", "unknown symbol" },
        [CAUSE_MODULES_DISABLED] = { "modules_disabled", "no more modules" },
        [CAUSE_KERNEL_BLACKLIST] = { "kernel_blacklist", "module_blacklist=" },
        [CAUSE_UNSIGNED] = { "unsigned", "not signed" },
        [CAUSE_LOCKDOWN] = { "lockdown", "locked down" },
        [CAUSE_UNDER_WAY] = { "under_way", "under way" },
        [CAUSE_WAITS_FOR_DEVICE] = { "waits_for_device", "waits for a device" },
        [CAUSE_FIRMWARE_MISSING] = { "firmware_missing", "firmware missing" },
        [CAUSE_PARAMETER_REFUSED] = { "parameter_refused", "parameter refused" },
        [CAUSE_LOAD_FAILED] = { "load_failed", "load failed" },
        [CAUSE_NO_MODALIAS] = { "no_modalias", "asks for none" },
        [CAUSE_NOT_AUTHORIZED] = { "not_authorized", "not authorized" },
        [CAUSE_DRIVER_OVERRIDE] = { "driver_override", "driver_override" },
        [CAUSE_OTHER_DRIVER] = { "other_driver", "other driver" },
        [CAUSE_DEFERRED] = { "deferred", "deferred" },
        [CAUSE_PROBE_FAILED] = { "probe_failed", "probe failed" },
        [CAUSE_NOT_PROBED] = { "not_probed", "not taken" },
        [CAUSE_WAITS_FOR_UDEV] = { "waits_for_udev", "waits for udev" },
        [CAUSE_STALE] = { "stale", "other build" },
        [CAUSE_NOT_RUNNING] = { "not_running", "lkmd not running" },
        [CAUSE_NOT_IN_CHARGE] = { "not_in_charge", "left to udev" },
};

const char *cause_kind_to_string(CauseKind kind) {
        assert(kind >= 0 && kind < _CAUSE_KIND_MAX);

        return kinds[kind].name;
}

/* For a cell of a table, where the sentence would be too long. */
const char *cause_kind_words(CauseKind kind) {
        assert(kind >= 0 && kind < _CAUSE_KIND_MAX);

        return kinds[kind].words;
}

/**
 * cause_make() - one cause
 * @ret:     to be cleared; untouched on failure
 * @module:  NULL: it is about none
 * @command: NULL: nothing can be done
 * @format:  of the sentence, whose strings may be any bytes: the result is escaped
 *
 * Return: 1, since a cause was found; -ENOMEM.
 */
int cause_make(Cause *ret, CauseKind kind, const char *module, const char *command, const char *format,
               ...) {
        _cleanup_(cause_clear) Cause c = { .kind = kind };
        va_list arguments;
        int r;

        assert(ret && format);

        va_start(arguments, format);
        r = text_escape_format(&c.sentence, format, arguments);
        va_end(arguments);
        if (r >= 0 && module)
                r = text_escape(module, &c.module);
        if (r >= 0 && command)
                r = text_escape(command, &c.command);
        if (r < 0)
                return r;

        *ret = c;
        c = (Cause) {};
        return 1;
}

/* Says which line decided. @file: NULL: none. Return: 1, as cause_make(); -ENOMEM. */
int cause_place(Cause *c, const char *file, unsigned line) {
        assert(c);

        if (!file)
                return 1;
        if (text_escape(file, &c->file) < 0)
                return -ENOMEM;
        c->line = line;
        return 1;
}

void cause_clear(Cause *c) {
        assert(c);

        free(c->sentence);
        free(c->module);
        free(c->file);
        free(c->command);
        *c = (Cause) {};
}

/* @c: taken, and empty then, also on failure. Return: 0; -ENOMEM. */
int cause_list_take(CauseList *l, Cause *c) {
        assert(l && c);

        if (array_grow(&l->items, l->n_items, sizeof(*l->items)) < 0) {
                cause_clear(c);
                return -ENOMEM;
        }
        l->items[l->n_items++] = *c;
        *c = (Cause) {};
        return 0;
}

void cause_list_clear(CauseList *l) {
        assert(l);

        for (size_t i = 0; i < l->n_items; i++)
                cause_clear(l->items + i);
        free(l->items);
        *l = (CauseList) {};
}

/* {kind, sentence, module?, file?, line?, command?} */
int cause_to_json(const Cause *c, sd_json_variant **ret) {
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("kind", cause_kind_to_string(c->kind)),
                SD_JSON_BUILD_PAIR_STRING("sentence", c->sentence),
                SD_JSON_BUILD_PAIR_CONDITION(c->module != NULL, "module", SD_JSON_BUILD_STRING(c->module)),
                SD_JSON_BUILD_PAIR_CONDITION(c->file != NULL, "file", SD_JSON_BUILD_STRING(c->file)),
                SD_JSON_BUILD_PAIR_CONDITION(c->line > 0, "line", SD_JSON_BUILD_UNSIGNED(c->line)),
                SD_JSON_BUILD_PAIR_CONDITION(c->command != NULL, "command",
                                             SD_JSON_BUILD_STRING(c->command)));
}

/* [{kind, sentence, module?, file?, line?, command?}] */
int cause_list_to_json(const CauseList *l, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        int r;

        assert(l && ret);

        r = sd_json_variant_new_array(&array, NULL, 0);
        for (size_t i = 0; r >= 0 && i < l->n_items; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                r = cause_to_json(l->items + i, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
        }
        if (r < 0)
                return r;

        *ret = STEAL_PTR(array);
        return 0;
}

/* The sentence, and below it what to try. */
void cause_print(const Output *out, const Cause *c, const char *indent) {
        assert(out && c && indent);

        printf("%s", indent);
        wrap_paragraph(c->sentence, strlen(indent));
        if (!c->command)
                return;
        output_hint(out, (int) strlen(indent) + 2, "try");
        printf("%s\n", c->command);
}
