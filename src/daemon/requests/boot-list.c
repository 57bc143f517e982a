/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * BootList: see boot-list.h. The lists are read once in a boot, after lkmd is ready, and all that they name is
 * requested at once, each entry by a request of its own: the scheduler does what can be done in parallel. A reload
 * does not repeat it, nor does another lkmd of the same boot, which only goes on with what has no outcome yet. Only
 * a list that could not be read is read again, when it can be.
 *
 * A module may end with ENODEV since its device is not there yet. Its entry waits for one, and is tried again when
 * a device comes that the module is for, however many come at a time, and less and less often if that is of no use.
 *
 * If lkmd is started later in a boot, systemd-modules-load has done all this, and is left to it. Owns the entries,
 * the plans that run for them and the watch on the lists.
 */

#include "daemon/requests/boot-list.h"

#include <assert.h>
#include <limits.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/base/text.h"
#include "common/device/device-keys.h"
#include "common/explain/omission-text.h"
#include "common/index/lookup-cache.h"
#include "common/words/kernel-command-line.h"
#include "daemon/base/log.h"
#include "daemon/base/loop-order.h"
#include "daemon/config/stale-watch.h"
#include "daemon/engine/plan-run.h"
#include "daemon/requests/boot-entries.h"

typedef struct BootRun BootRun;
struct BootRun {
        BootList *list;
        BootEntry *entry;
        Request *request;
        PlanRun *run;
};

struct BootList {
        BootListOptions options;
        BootEntries entries;
        sd_event_source *turn;          /* begins */
        sd_event_source *retry;         /* tries again what has a device now */
        sd_event_source *save;          /* writes the state file */
        StaleWatch *watch;
        ProblemList problems;
        bool is_read;                   /* by this lkmd or an earlier one */
        bool is_left;                   /* to systemd-modules-load */
        bool is_begun;                  /* by this lkmd */
        size_t n_runs;
};

/* --------------------------------------------------------------------------------------------- outcomes */

static void changed(BootList *b) {
        (void) sd_event_source_set_enabled(b->save, SD_EVENT_ONESHOT);
        b->options.changed(b->options.userdata);
}

static int on_save(sd_event_source *source, void *userdata) {
        BootList *b = userdata;
        int r = b->options.state_file ? boot_entries_write(&b->entries, b->options.state_file) : 0;

        if (r < 0)
                log_warning(
                        "cannot note what has become of the lists of the boot, so that another lkmd would begin anew: %s",
                        strerror(-r));
        return 0;
}

static void log_about(int level, const Request *request, const char *what) {
        const LogFields fields = {
                .origin = request_origin_to_string(request->origin),
                .key = request->key,
                .requester_uid = -1,
                .requester_pid = -1,
        };
        _cleanup_(freep) char *place = NULL, *key = NULL;

        if (request_describe_place(request, &place) >= 0 && text_escape(request->key, &key) >= 0)
                log_entry(level, &fields, "%s: %s %s", place, key, what);
}

/* What a plan leaves out. A rule that denies a module is the will of whoever wrote it. */
static void log_obstacle(const Request *request, const Plan *plan, const PlanOmission *o) {
        _cleanup_(freep) char *message = NULL, *hint = NULL, *what = NULL;

        if (plan_explain_obstacle(plan, o, &message, &hint) < 0 ||
            asprintf(&what, "is not loaded: %s; %s", message, hint) < 0) {
                what = NULL;
                return;
        }
        log_about(omission_is_refusal(o) ? LOG_NOTICE : LOG_WARNING, request, what);
}

static void log_failure(const Request *request, const Record *failure) {
        _cleanup_(freep) char *what = NULL;

        if (asprintf(&what, "is not loaded: %s", failure->message ?: strerror(-failure->error)) < 0) {
                what = NULL;
                return;
        }
        log_about(LOG_WARNING, request, what);
}

/* Is it worth another attempt once there is a device? */
static bool lacks_device(const Record *failure) {
        return failure->error == -ENODEV && !failure->removal;
}

static void retry_at(BootList *b, uint64_t usec) {
        uint64_t due;
        int enabled;

        if (sd_event_source_get_enabled(b->retry, &enabled) > 0 &&
            sd_event_source_get_time(b->retry, &due) >= 0 && due <= usec)
                return;
        if (sd_event_source_set_time(b->retry, usec) >= 0)
                (void) sd_event_source_set_enabled(b->retry, SD_EVENT_ONESHOT);
}

/* The module of an entry has found no device. */
static void entry_lacks_device(BootList *b, BootEntry *entry, const Request *request,
                               const Record *failure) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        bool is_new = entry->state != BOOT_ENTRY_WAITING;

        if (boot_entry_wait(entry, record_file_module(failure), clock_usec(CLOCK_REALTIME)) < 0) {
                log_failure(request, failure);
                boot_entry_end(entry);
                return;
        }
        if (is_new) {
                log_about(LOG_NOTICE, request,
                          "has found no device yet; it is tried again when one comes that it is for");
                entry->retry_usec = now;
        } else {
                uint64_t pause = (uint64_t) BOOT_RETRY_USEC << MIN(entry->n_retries, 16U);

                entry->retry_usec = now + MIN(pause, (uint64_t) BOOT_RETRY_MAX_USEC);
                entry->n_retries++;
        }
        if (entry->has_device)
                retry_at(b, entry->retry_usec);
}

static void entry_has_outcome(BootList *b, BootEntry *entry, const Request *request, const Plan *plan,
                              const Record *failure) {
        const PlanOmission *obstacle = plan_find_obstacle(plan);

        if (failure && lacks_device(failure)) {
                entry_lacks_device(b, entry, request, failure);
                return;
        }
        if (failure)
                log_failure(request, failure);
        else if (plan->n_matches == 0)
                log_about(LOG_WARNING, request,
                          "is not loaded: this kernel has no module of that name, and no alias means one; "
                          "if its file is there, depmod makes it known");
        else if (obstacle)
                log_obstacle(request, plan, obstacle);
        boot_entry_end(entry);
}

/* ------------------------------------------------------------------------------------------------- runs */

static void boot_run_free(BootRun *run) {
        run->entry->run = NULL;
        run->list->n_runs--;
        plan_run_free(run->run);
        request_unref(run->request);
        free(run);
}

static void on_run_done(PlanRun *plan_run, void *userdata) {
        BootRun *run = userdata;
        BootList *b = run->list;

        entry_has_outcome(b, run->entry, run->request, plan_run_get_plan(plan_run),
                          plan_run_get_failure(plan_run));
        boot_run_free(run);
        changed(b);
}

static int start_run(BootList *b, BootEntry *entry, Request *request, Plan *plan) {
        _cleanup_(plan_freep) Plan *taken = plan;
        BootRun *run;
        int r;

        run = calloc(1, sizeof(*run));
        if (!run)
                return -ENOMEM;
        r = plan_run_new(&run->run, b->options.scheduler, b->options.planner, taken, request, on_run_done,
                         run);
        if (r < 0) {
                free(run);
                return r;
        }
        STEAL_PTR(taken);
        run->list = b;
        run->entry = entry;
        run->request = request_ref(request);
        entry->run = run;
        b->n_runs++;
        r = plan_run_start(run->run);   /* may end and free it */
        if (r < 0)
                boot_run_free(run);
        return r;
}

static int entry_request(BootList *b, BootEntry *entry) {
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        const Index *index = index_keeper_get(b->options.planner->index);
        int r;

        entry->has_device = false;
        b->options.counters->requests++;
        r = request_new_listed(&request, entry->name, entry->file, entry->line);
        if (r >= 0)
                r = planner_plan(b->options.planner, index, request, PLAN_AUTOLOAD, NULL, &plan);
        if (r < 0)
                return r;
        if (plan->n_steps > 0)
                return start_run(b, entry, request, STEAL_PTR(plan));
        entry_has_outcome(b, entry, request, plan, NULL);
        return 0;
}

static void entry_try(BootList *b, BootEntry *entry) {
        int r = entry_request(b, entry);

        if (r >= 0)
                return;
        log_error("%s:%u: cannot request what is listed there: %s", entry->file, entry->line, strerror(-r));
        boot_entry_end(entry);
}

/* ---------------------------------------------------------------------------------------------- reading */

static int read_lists(BootList *b) {
        _cleanup_(load_list_freep) LoadList *list = NULL;
        _cleanup_(freep) char *command_line = NULL;
        const LoadEntry *listed;
        size_t n;
        int r;

        problem_list_clear(&b->problems);
        stale_watch_refresh(b->watch);
        r = kernel_command_line_read(&command_line, &b->problems);
        if (r < 0)
                return r;
        r = load_list_new(&list,
                          &(LoadListSources) {
                                  .root = b->options.root,
                                  .command_line = command_line,
                                  .in_initramfs = access(INITRD_RELEASE_FILE, F_OK) >= 0,
                          },
                          &b->problems);
        if (r < 0)
                return r;
        listed = load_list_entries(list, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = boot_entries_add(&b->entries, listed + i);
        for (size_t i = 0; i < b->problems.n_items; i++)
                log_problem(b->problems.items + i);
        return r;
}

static void try_pending(BootList *b) {
        BootEntry *entry;

        TAILQ_FOREACH(entry, &b->entries.list, next)
                if (entry->state == BOOT_ENTRY_PENDING && !entry->run)
                        entry_try(b, entry);
        changed(b);
}

static bool may_begin(const BootList *b) {
        return !b->is_left && charge_is_taken(b->options.charge) &&
               index_is_complete(index_keeper_get(b->options.planner->index));
}

static int on_turn(sd_event_source *source, void *userdata) {
        BootList *b = userdata;
        int r = 0;

        if (b->is_begun || !may_begin(b))
                return 0;
        b->is_begun = true;
        if (!b->is_read)
                r = read_lists(b);
        if (r < 0)
                log_error("cannot read what is listed to be loaded at boot: %s", strerror(-r));
        b->is_read = true;
        (void) on_save(NULL, b);
        try_pending(b);
        return 0;
}

/* A list has changed. That counts for the next boot, unless one was not read so far. */
static void on_quiet(void *userdata) {
        BootList *b = userdata;
        int r;

        if (!b->is_begun || !problem_list_find_unread(&b->problems))
                return;
        r = read_lists(b);
        if (r < 0)
                log_error("cannot read what is listed to be loaded at boot: %s", strerror(-r));
        try_pending(b);
}

/* --------------------------------------------------------------------------------------------- devices */

static bool run_has_module(const BootRun *run, const char *module) {
        const Plan *plan = plan_run_get_plan(run->run);

        for (size_t i = 0; i < plan->n_steps; i++)
                if (streq(plan->steps[i].module, module))
                        return true;
        return false;
}

static bool entry_wants(const BootEntry *entry, const char *module) {
        return entry->run ? run_has_module(entry->run, module)
                          : entry->state == BOOT_ENTRY_WAITING && streq(entry->module, module);
}

static void note_device(BootList *b, const char *module) {
        BootEntry *entry;

        TAILQ_FOREACH(entry, &b->entries.list, next) {
                if (entry->has_device || !entry_wants(entry, module))
                        continue;
                entry->has_device = true;
                if (!entry->run)
                        retry_at(b, entry->retry_usec);
        }
}

static bool any_entry_wants(const BootList *b) {
        const BootEntry *entry;

        TAILQ_FOREACH(entry, &b->entries.list, next)
                if (entry->run || entry->state == BOOT_ENTRY_WAITING)
                        return true;
        return false;
}

/* A device is there: do modules wait for such a one? A module whose init runs may have looked too early. */
void boot_list_device(BootList *b, const Index *index, const DeviceFacts *facts) {
        const char *keys[DEVICE_KEYS_MAX];
        size_t n;

        assert(b && index && facts);

        if (!any_entry_wants(b))
                return;
        n = device_keys(facts, keys);
        for (size_t i = 0; i < n; i++) {
                const IndexMatch *matches;
                size_t n_matches = 0;

                if (lookup_cache_find(index_keeper_get_cache(b->options.planner->index), index, keys[i],
                                      &matches, &n_matches) < 0)
                        continue;
                for (size_t k = 0; k < n_matches; k++)
                        note_device(b, matches[k].name);
        }
}

static bool needs(const Index *index, const char *module, const char *needed) {
        const IndexModule *m = index_find_module(index, module);
        size_t n = strlen(needed);

        for (size_t i = 0; m && i < m->n_dependencies; i++)
                if (strlen(m->dependencies[i]->name) == n &&
                    module_name_equal(m->dependencies[i]->name, needed, n))
                        return true;
        return false;
}

/**
 * boot_list_note_bound() - a driver has a device now
 * @driver: its name, which mostly is that of its module
 *
 * There are modules without an alias that want a device of another driver: nvidia_uvm one of nvidia.
 */
void boot_list_note_bound(BootList *b, const Index *index, const char *driver) {
        BootEntry *entry;

        assert(b && index && driver);

        TAILQ_FOREACH(entry, &b->entries.list, next)
                if (entry->state == BOOT_ENTRY_WAITING && !entry->run &&
                    needs(index, entry->module, driver)) {
                        entry->has_device = true;
                        retry_at(b, entry->retry_usec);
                }
}

/**
 * boot_list_note_live() - a module can be used, whoever has loaded it: its entry waits for nothing any more
 * @module: as the kernel calls it
 */
void boot_list_note_live(BootList *b, const char *module) {
        BootEntry *entry;

        assert(b && module);

        TAILQ_FOREACH(entry, &b->entries.list, next)
                if (entry->state == BOOT_ENTRY_WAITING && !entry->run &&
                    streq(planner_kernel_name(b->options.planner,
                                              index_keeper_get(b->options.planner->index), entry->module,
                                              FACTS_READ_UNUSUAL),
                          module)) {
                        entry->has_device = true;
                        entry->retry_usec = 0;
                        retry_at(b, 0);
                }
}

/* The driver of the device may have been loaded for it meanwhile, which is no second load. */
static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        BootList *b = userdata;
        BootEntry *entry;

        if (!may_begin(b))
                return 0;
        TAILQ_FOREACH(entry, &b->entries.list, next) {
                if (entry->state != BOOT_ENTRY_WAITING || !entry->has_device || entry->run)
                        continue;
                if (entry->retry_usec > now)
                        retry_at(b, entry->retry_usec);
                else
                        entry_try(b, entry);
        }
        changed(b);
        return 0;
}

/* ----------------------------------------------------------------------------------------------- object */

static int open_sources(BootList *b) {
        const char *const *directories = load_list_directories();
        sd_event *event = b->options.event;
        int r;

        r = sd_event_add_defer(event, &b->turn, on_turn, b);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->turn, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_defer(event, &b->save, on_save, b);
        if (r >= 0)
                r = sd_event_source_set_priority(b->save, LOOP_LULL);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->save, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time(event, &b->retry, CLOCK_MONOTONIC, UINT64_MAX, 0, on_retry, b);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->retry, SD_EVENT_OFF);
        if (r >= 0)
                r = stale_watch_new(&b->watch, event, on_quiet, b);
        for (size_t i = 0; r >= 0 && directories[i]; i++) {
                char path[PATH_MAX];

                (void) snprintf(path, sizeof(path), "%s%s", b->options.root ?: "", directories[i]);
                r = stale_watch_add(b->watch, path, "", ".conf");
        }
        return r;
}

/**
 * boot_list_new() - nothing is read yet, unless by an earlier lkmd of this boot
 *
 * Return: 0; -ENOMEM; what sd-event or inotify say.
 */
int boot_list_new(BootList **ret, const BootListOptions *options) {
        _cleanup_(boot_list_freep) BootList *b = NULL;
        int r;

        assert(ret && options && options->event && options->scheduler && options->planner &&
               options->charge && options->counters && options->changed);

        b = calloc(1, sizeof(*b));
        if (!b)
                return -ENOMEM;
        b->options = *options;
        boot_entries_init(&b->entries);
        r = options->state_file ? boot_entries_read(&b->entries, options->state_file) : 0;
        if (r < 0)
                return r;
        b->is_read = r > 0;
        b->is_left = r == 0 && options->is_late;
        r = open_sources(b);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(b);
        return 0;
}

/* Return: NULL. */
BootList *boot_list_free(BootList *b) {
        BootEntry *entry;

        if (!b)
                return NULL;

        TAILQ_FOREACH(entry, &b->entries.list, next)
                if (entry->run)
                        boot_run_free(entry->run);
        boot_entries_clear(&b->entries);
        sd_event_source_disable_unref(b->turn);
        sd_event_source_disable_unref(b->retry);
        sd_event_source_disable_unref(b->save);
        stale_watch_free(b->watch);
        problem_list_clear(&b->problems);
        free(b);
        return NULL;
}

/* lkmd is ready, and may be in charge now or have an index: begin at the next turn of the loop, once. */
void boot_list_begin(BootList *b) {
        assert(b);

        if (b->is_begun || b->is_left)
                return;
        if (!may_begin(b)) {
                b->options.changed(b->options.userdata);
                return;
        }
        (void) sd_event_source_set_enabled(b->turn, SD_EVENT_ONESHOT);
}

BootListProgress boot_list_get_progress(const BootList *b) {
        const BootEntry *entry;

        assert(b);

        if (b->is_left)
                return BOOT_LIST_LEFT;
        if (!b->is_begun)
                return may_begin(b) ? BOOT_LIST_UNDER_WAY : BOOT_LIST_PREVENTED;
        TAILQ_FOREACH(entry, &b->entries.list, next)
                if (entry->state == BOOT_ENTRY_PENDING)
                        return BOOT_LIST_UNDER_WAY;
        return BOOT_LIST_SETTLED;
}

/* Is no load under way or about to begin? */
bool boot_list_is_idle(const BootList *b) {
        int enabled = SD_EVENT_OFF;

        assert(b);

        (void) sd_event_source_get_enabled(b->turn, &enabled);
        return b->n_runs == 0 && enabled == SD_EVENT_OFF;
}

/**
 * boot_list_describe_waiting() - the entries that wait for a device, as an array of the varlink type WaitingModule
 *
 * Return: 0 or what sd-json says.
 */
int boot_list_describe_waiting(const BootList *b, sd_json_variant **ret) {
        const BootEntry *entry;
        int r;

        assert(b && ret);

        r = sd_json_variant_new_array(ret, NULL, 0);
        TAILQ_FOREACH(entry, &b->entries.list, next) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

                if (r < 0 || entry->state != BOOT_ENTRY_WAITING)
                        continue;
                r = boot_entry_to_json(entry, &v);
                if (r >= 0)
                        r = sd_json_variant_append_array(ret, v);
        }
        return r;
}

/* What is wrong with the lists. */
const ProblemList *boot_list_get_problems(const BootList *b) {
        assert(b);

        return &b->problems;
}

/* Which of them cannot be watched. */
const ProblemList *boot_list_get_watch_problems(const BootList *b) {
        assert(b);

        return stale_watch_get_problems(b->watch);
}
