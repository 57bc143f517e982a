/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ForeignLoads: see foreign-loads.h. A module that is in the kernel, that no job of lkmd is about, and of which the
 * ledger has no load, came without lkmd. The kernel's uevents of modules say so within a moment; the list of modules
 * is compared with the ledger after a start and after a loss of events.
 *
 * The kernel may call a module otherwise than its file is called, and a job learns that when it ends. So while a load
 * is under way whose module is not to be seen in the kernel, a module that nobody knows may be that one: what it is
 * then decided when a job has ended. Owns the names of those; borrows all of its options.
 */

#include "daemon/requests/foreign-loads.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "common/base/paths.h"
#include "common/base/string-list.h"
#include "daemon/base/module-state.h"
#include "daemon/history/journal.h"

struct ForeignLoads {
        ForeignLoadsOptions options;
        char **undecided;               /* modules that came, and may be of a load under way; NULL: none */
        bool compared;                  /* with the list of modules, once */
        RequestOrigin before;           /* of what was there when lkmd started */
};

/* It has written down what was there. */
static bool has_earlier_lkmd(const Ledger *ledger) {
        for (size_t i = 0; i < ledger_count(ledger); i++) {
                const Request *request = ledger_get(ledger, i)->request;

                if (request->origin >= ORIGIN_BOOT && !request->file)
                        return true;
        }
        return false;
}

/*
 * Of a module that was there before the first lkmd of this boot, nobody can say when it came. If udevd has not been
 * started yet, then hardly anything but the initramfs can have loaded it; but what is not known to an lkmd that ran
 * there came after it.
 */
static RequestOrigin origin_before_start(const Ledger *ledger, bool follows_initramfs) {
        if (follows_initramfs)
                return ORIGIN_BOOT;
        if (has_earlier_lkmd(ledger))
                return ORIGIN_FOREIGN;
        if (access(INITRD_RELEASE_FILE, F_OK) >= 0 ||
            (access(UDEVD_CGROUP_DIR, F_OK) < 0 && access(INITRAMFS_RUN_DIR, F_OK) >= 0))
                return ORIGIN_INITRAMFS;
        return ORIGIN_BOOT;
}

/* Return: 0 or -ENOMEM. */
int foreign_loads_new(ForeignLoads **ret, const ForeignLoadsOptions *options) {
        ForeignLoads *f;

        assert(ret && options && options->ledger && options->scheduler && options->monitors &&
               options->denies);

        f = calloc(1, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->options = *options;
        f->before = origin_before_start(options->ledger, options->follows_initramfs);
        *ret = f;
        return 0;
}

/* Return: NULL. */
ForeignLoads *foreign_loads_free(ForeignLoads *f) {
        if (!f)
                return NULL;

        string_list_free(f->undecided);
        free(f);
        return NULL;
}

static int make_record(const ForeignLoads *f, const char *module, RequestOrigin origin, Record **ret) {
        _cleanup_(request_unrefp) Request *request = NULL;
        int r;

        r = request_new(&request, origin, module);
        if (r < 0)
                return r;
        if (origin == ORIGIN_FOREIGN && f->options.find_loader) {
                r = f->options.find_loader(module, &request->requester, f->options.userdata);
                if (r < 0)
                        return r;
        }
        return record_new(ret, module, request);
}

/* Whatever came without lkmd counts as requested itself: it is not lkmd's to remove. */
static int note_load(ForeignLoads *f, const char *module, RequestOrigin origin) {
        _cleanup_(record_unrefp) Record *record = NULL;
        PolicyRuling ruling;
        bool denied;
        int r;

        r = make_record(f, module, origin, &record);
        if (r < 0)
                return r;
        record->outcome = OUTCOME_LOADED;
        record->reason = PLAN_REQUESTED;
        r = ledger_begin(f->options.ledger, record);
        if (r < 0 || origin != ORIGIN_FOREIGN)
                return r;               /* of the others that are denied, loaded-denied.c has a list */

        denied = f->options.denies(module, &ruling, f->options.userdata);
        journal_foreign(f->options.monitors, record, denied ? &ruling : NULL);
        monitors_record(f->options.monitors, "finished", record);
        return 0;
}

static bool is_accounted_for(const ForeignLoads *f, const char *module) {
        return ledger_find_load(f->options.ledger, module) ||
               scheduler_has_job(f->options.scheduler, module);
}

/* Is a load under way whose module is called otherwise, or which has not come as far as to be seen? */
static bool may_be_of_a_job(const ForeignLoads *f) {
        _cleanup_(record_list_clear) RecordList running = {};

        if (scheduler_get_running(f->options.scheduler, &running) < 0)
                return false;
        for (size_t i = 0; i < running.n_items; i++) {
                const Record *record = running.items[i];

                if (!record->removal && !record->command_file &&
                    module_state_read(record->module) == MODULE_ABSENT)
                        return true;
        }
        return false;
}

static void decide(ForeignLoads *f, const char *module, RequestOrigin origin) {
        int r = 0;

        if (is_accounted_for(f, module))
                return;
        if (origin == ORIGIN_FOREIGN && may_be_of_a_job(f))
                r = string_list_append(&f->undecided, module, strlen(module));
        else
                r = note_load(f, module, origin);
        if (r < 0)
                journal_forgotten(module, r);
}

/**
 * foreign_loads_found() - a module is live: if that was not lkmd, write it down
 * @module: as the kernel calls it
 *
 * @origin: ORIGIN_FOREIGN; foreign_loads_origin() if it may have been there before lkmd started
 */
void foreign_loads_found(ForeignLoads *f, const char *module, RequestOrigin origin) {
        assert(f && module);

        decide(f, module, origin);
}

/* A job has ended: look once more at what may have been its module. */
void foreign_loads_job_ended(ForeignLoads *f) {
        _cleanup_(string_list_freep) char **modules = NULL;

        assert(f);

        modules = STEAL_PTR(f->undecided);
        for (char **module = modules; module && *module; module++)
                if (module_state_read(*module) == MODULE_LIVE)
                        decide(f, *module, ORIGIN_FOREIGN);
}

/* Of a module that is there and has no record: where from. */
RequestOrigin foreign_loads_origin(const ForeignLoads *f) {
        assert(f);

        return f->compared ? ORIGIN_FOREIGN : f->before;
}

/* The last that the ledger has about the module. Return: borrowed; NULL: nothing. */
static const Record *find_last(const Ledger *ledger, const char *module) {
        for (size_t i = 0; i < ledger_count(ledger); i++) {
                const Record *record = ledger_get(ledger, i);

                if (streq(record->module, module))
                        return record;
        }
        return NULL;
}

/**
 * foreign_loads_gone() - the kernel reports that a module was removed: if that was not lkmd, write it down
 *
 * To be called before ledger_module_gone(). The reply of lkmd-loader may have come before: then the last record
 * is that removal.
 */
void foreign_loads_gone(ForeignLoads *f, const char *module) {
        _cleanup_(record_unrefp) Record *record = NULL;
        const Record *last;
        int r;

        assert(f && module);

        last = find_last(f->options.ledger, module);
        if (scheduler_has_job(f->options.scheduler, module) || !last || last->removal)
                return;
        r = make_record(f, module, ORIGIN_FOREIGN, &record);
        if (r >= 0) {
                record->outcome = OUTCOME_UNLOADED;
                record->removal = true;
                r = ledger_begin(f->options.ledger, record);
        }
        if (r < 0) {
                journal_forgotten(module, r);
                return;
        }
        journal_foreign(f->options.monitors, record, NULL);
        monitors_record(f->options.monitors, "finished", record);
}

/* Modules that the ledger has as loaded, and that are not there. A record of the removal is put before the others. */
static void look_for_removals(ForeignLoads *f) {
        for (size_t i = 0; i < ledger_count(f->options.ledger); i++) {
                Record *record = ledger_get(f->options.ledger, i);

                if (record->gone || record->removal || record->outcome != OUTCOME_LOADED ||
                    module_state_read(record->module) != MODULE_ABSENT)
                        continue;
                record_ref(record);     /* the ledger may drop it */
                foreign_loads_gone(f, record->module);
                ledger_module_gone(f->options.ledger, record->module);
                record_unref(record);
        }
}

/**
 * foreign_loads_compare() - write down all differences between the kernel's list of modules and the ledger
 *
 * To be called once after the start, and when uevents were lost.
 */
void foreign_loads_compare(ForeignLoads *f) {
        LoadedModule *loaded = NULL;
        RequestOrigin origin;
        size_t n = 0;
        int r;

        assert(f);

        origin = foreign_loads_origin(f);
        f->compared = true;
        look_for_removals(f);
        r = loaded_modules_read(&loaded, &n);
        for (size_t i = n; r >= 0 && i > 0; i--) /* the kernel lists the newest first */
                if (loaded[i - 1].state == MODULE_LIVE && !is_accounted_for(f, loaded[i - 1].name))
                        r = note_load(f, loaded[i - 1].name, origin);
        loaded_modules_free(loaded, n);
        if (r < 0)
                journal_forgotten(NULL, r);
}
