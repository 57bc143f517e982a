/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * BootEntries: see boot-entries.h. Owns the entries, but not their runs. The file has a JSON object a line; that it is
 * there means that the lists were read in this boot.
 */

#include "daemon/requests/boot-entries.h"

#include <assert.h>
#include <limits.h>
#include <systemd/sd-json.h>

#include "common/base/enum-names.h"
#include "common/base/limits.h"
#include "common/base/text.h"
#include "daemon/base/json-read.h"
#include "daemon/base/state-file.h"

static const char *const state_names[_BOOT_ENTRY_STATE_MAX] = {
        [BOOT_ENTRY_PENDING] = "pending",
        [BOOT_ENTRY_WAITING] = "waiting",
        [BOOT_ENTRY_DONE] = "done",
};

void boot_entries_init(BootEntries *e) {
        assert(e);

        *e = (BootEntries) {};
        TAILQ_INIT(&e->list);
}

static BootEntry *entry_free(BootEntry *entry) {
        if (!entry)
                return NULL;

        free(entry->name);
        free(entry->file);
        free(entry->module);
        free(entry);
        return NULL;
}
DEFINE_CLEANUP(BootEntry, entry_free);

void boot_entries_clear(BootEntries *e) {
        BootEntry *entry;

        assert(e);

        while ((entry = TAILQ_FIRST(&e->list))) {
                TAILQ_REMOVE(&e->list, entry, next);
                entry_free(entry);
        }
        e->n = 0;
}

static bool is_known(const BootEntries *e, const char *name) {
        const BootEntry *entry;

        TAILQ_FOREACH(entry, &e->list, next)
                if (streq(entry->name, name))
                        return true;
        return false;
}

/**
 * boot_entries_add() - one more at the end, pending; nothing if one of that name is there
 *
 * Return: 0; -ENOMEM.
 */
int boot_entries_add(BootEntries *e, const LoadEntry *listed) {
        _cleanup_(entry_freep) BootEntry *entry = NULL;

        assert(e && listed);

        if (is_known(e, listed->name) || e->n >= LOAD_LIST_MAX)
                return 0;
        entry = calloc(1, sizeof(*entry));
        if (!entry)
                return -ENOMEM;
        entry->name = strdup(listed->name);
        entry->file = strdup(listed->file);
        entry->line = listed->line;
        if (!entry->name || !entry->file)
                return -ENOMEM;
        TAILQ_INSERT_TAIL(&e->list, entry, next);
        STEAL_PTR(entry);
        e->n++;
        return 0;
}

/**
 * boot_entry_wait() - its module has found no device, for the first time or again
 * @module:   which one; by the name of its file
 * @now_usec: CLOCK_REALTIME
 *
 * Return: 0; -ENOMEM.
 */
int boot_entry_wait(BootEntry *entry, const char *module, uint64_t now_usec) {
        char *copy;

        assert(entry && module);

        copy = strdup(module);
        if (!copy)
                return -ENOMEM;
        free(entry->module);
        entry->module = copy;
        if (entry->state != BOOT_ENTRY_WAITING)
                entry->since_usec = now_usec;
        entry->state = BOOT_ENTRY_WAITING;
        return 0;
}

/* It has its outcome. */
void boot_entry_end(BootEntry *entry) {
        assert(entry);

        entry->state = BOOT_ENTRY_DONE;
        entry->has_device = false;
}

/* ------------------------------------------------------------------------------------------------- file */

static int entry_from_json(sd_json_variant *v, BootEntry *entry) {
        _cleanup_(freep) char *state = NULL;
        uint64_t line;
        int r;

        if ((r = json_read_text(v, "name", &entry->name)) < 0 ||
            (r = json_read_text(v, "file", &entry->file)) < 0 ||
            (r = json_read_text(v, "state", &state)) < 0 ||
            (r = json_read_text(v, "module", &entry->module)) < 0 ||
            (r = json_read_number(v, "line", UINT_MAX, &line)) < 0 ||
            (r = json_read_number(v, "sinceUSec", JSON_USEC_MAX, &entry->since_usec)) < 0)
                return r;
        entry->line = (unsigned) line;
        entry->state = (BootEntryState) ENUM_VALUE(state_names, state);
        if (!entry->name || !entry->file || entry->state < 0)
                return -EBADMSG;
        return entry->state == BOOT_ENTRY_WAITING && !entry->module ? -EBADMSG : 0;
}

static int take_line(char *line, void *userdata) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(entry_freep) BootEntry *entry = NULL;
        BootEntries *e = userdata;
        int r;

        if (*line == '\0')
                return 0;
        r = sd_json_parse(line, 0, &v, NULL, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        entry = calloc(1, sizeof(*entry));
        if (!entry)
                return -ENOMEM;
        r = entry_from_json(v, entry);
        if (r < 0)
                return r;
        if (is_known(e, entry->name))
                return -EBADMSG;
        TAILQ_INSERT_TAIL(&e->list, entry, next);
        STEAL_PTR(entry);
        e->n++;
        return 0;
}

/**
 * boot_entries_read() - what an earlier lkmd of this boot has noted
 * @e: empty
 *
 * Return: 1: there is a file; 0: there is none; -ENOMEM.
 */
int boot_entries_read(BootEntries *e, const char *path) {
        int r;

        assert(e && e->n == 0 && path);

        if (access(path, F_OK) < 0)
                return 0;
        r = state_file_read_lines(path, BOOT_LIST_FILE_MAX, LOAD_LIST_MAX, take_line, e);
        return r < 0 ? r : 1;
}

/**
 * boot_entry_to_json() - an entry as the interface's type WaitingModule has it
 *
 * Return: 0; what sd-json says.
 */
int boot_entry_to_json(const BootEntry *entry, sd_json_variant **ret) {
        _cleanup_(freep) char *name = NULL, *file = NULL, *module = NULL;
        int r;

        assert(entry && ret);

        r = text_escape(entry->name, &name);
        if (r >= 0)
                r = text_escape(entry->file, &file);
        if (r >= 0)
                r = text_escape(entry->module ?: "", &module);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("name", name),
                SD_JSON_BUILD_PAIR_CONDITION(entry->module != NULL, "module", SD_JSON_BUILD_STRING(module)),
                SD_JSON_BUILD_PAIR_STRING("file", file),
                SD_JSON_BUILD_PAIR_CONDITION(entry->line > 0, "line", SD_JSON_BUILD_UNSIGNED(entry->line)),
                SD_JSON_BUILD_PAIR_CONDITION(entry->since_usec > 0, "sinceUSec",
                                             SD_JSON_BUILD_UNSIGNED(entry->since_usec)));
}

static int print_all(FILE *f, void *userdata) {
        const BootEntries *e = userdata;
        const BootEntry *entry;

        TAILQ_FOREACH(entry, &e->list, next) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                int r = boot_entry_to_json(entry, &v);

                if (r >= 0)
                        r = sd_json_variant_set_field_string(&v, "state",
                                                             ENUM_NAME(state_names, entry->state));
                if (r >= 0)
                        r = sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, f, NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Return: 0, or why it could not be written. */
int boot_entries_write(const BootEntries *e, const char *path) {
        assert(e && path);

        return state_file_print(path, print_all, (void *) e, NULL);
}
