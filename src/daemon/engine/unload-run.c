/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UnloadRun: one removal being carried out. Owns the list of candidates in a valid order: softdep posts, the
 * module, its dependencies from the nearest on, softdep pres. Only the module itself has to be removed; each other
 * candidate is checked when its turn comes, and stays if it is in use, if it was requested itself, if lkmd did not
 * load it, or if another loaded module names it in a softdep.
 *
 * modprobe -r tries each dependency once in the order of modules.dep, and so leaves those that only a dependency used.
 */

#include "daemon/engine/unload-run.h"

#include <assert.h>

#include "common/base/string-list.h"
#include "daemon/base/module-state.h"

typedef struct Candidate {
        char *module;                   /* as the kernel calls it */
        bool required;                  /* the requested module itself */
        char *command;                  /* name of the line of its remove command; NULL: none */
        char **claimed_by;              /* loaded modules that name it in a softdep; NULL-terminated or NULL */
} Candidate;

struct UnloadRun {
        Scheduler *scheduler;
        Ledger *ledger;
        Request *request;
        unload_run_done_t done;
        void *userdata;
        Candidate *candidates;
        size_t n_candidates, next;
        bool submitted;
        RecordList records;
        Record *failure;                /* of the module itself */
        int error;                      /* why its removal could not even be tried */
};

/* @module: as the kernel calls it */
static int add_candidate(UnloadRun *run, const char *module, bool required) {
        Candidate *grown;
        char *copy;

        for (size_t i = 0; i < run->n_candidates; i++)
                if (streq(run->candidates[i].module, module))
                        return 0;

        grown = reallocarray(run->candidates, run->n_candidates + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        run->candidates = grown;
        copy = strdup(module);
        if (!copy)
                return -ENOMEM;
        grown[run->n_candidates++] = (Candidate) { .module = copy, .required = required };
        return 0;
}

/* The remove line of a module, by either of its names. */
static int add_command(Candidate *c, const ModprobeConfig *config, const char *file_module) {
        const char *names[] = { c->module, file_module };

        for (size_t i = 0; i < ARRAY_LEN(names) && !c->command; i++)
                if (modprobe_config_find_command(config, CONFIG_REMOVE, names[i]) &&
                    !(c->command = strdup(names[i])))
                        return -ENOMEM;
        return 0;
}

/* The softdeps of one kind; a key that is an alias may mean several modules. */
static int add_softdeps(UnloadRun *run, const Planner *planner, const Index *index, const char *module,
                        bool post) {
        _cleanup_(freep) IndexSoftdep *softdeps = NULL;
        size_t n_softdeps;
        int r;

        r = index_softdeps(index, module, &softdeps, &n_softdeps);
        if (r < 0)
                return r;

        for (size_t i = n_softdeps; i > 0; i--) {
                const IndexModule *known;

                if (softdeps[i - 1].post != post)
                        continue;
                known = index_find_module(index, softdeps[i - 1].key);
                if (!known || !known->path)
                        continue;
                r = add_candidate(run, planner_kernel_name(planner, index, known->name, FACTS_READ_UNUSUAL),
                                  /* required= */ false);
                if (r < 0)
                        return r;
        }
        return 0;
}

static Candidate *find_candidate(UnloadRun *run, const char *module) {
        for (size_t i = 0; i < run->n_candidates; i++)
                if (streq(run->candidates[i].module, module))
                        return run->candidates + i;
        return NULL;
}

/* A softdep does not count as a reference, so check the softdeps of every loaded module. */
static int mark_claims(UnloadRun *run, const Planner *planner, const Index *index, const char *module) {
        LoadedModule *modules = NULL;
        size_t n_modules = 0;
        int r;

        r = loaded_modules_read(&modules, &n_modules);
        if (r < 0)
                return r;

        for (size_t i = 0; r >= 0 && i < n_modules; i++) {
                _cleanup_(freep) IndexSoftdep *softdeps = NULL;
                size_t n_softdeps;

                if (streq(modules[i].name, module))
                        continue;       /* it is being removed */
                r = index_softdeps(index, modules[i].name, &softdeps, &n_softdeps);
                for (size_t k = 0; r >= 0 && k < n_softdeps; k++) {
                        Candidate *c = find_candidate(
                                run,
                                planner_kernel_name(planner, index, softdeps[k].key, FACTS_READ_UNUSUAL));

                        if (c)
                                r = string_list_append(&c->claimed_by, modules[i].name, strlen(modules[i].name));
                }
        }
        loaded_modules_free(modules, n_modules);
        return r;
}

static int find_candidates(UnloadRun *run, const Planner *planner, const Index *index, const char *module) {
        const IndexModule *known = planner_find_module(planner, index, module);
        const char *file_module = known ? known->name : module;
        int r;

        r = add_softdeps(run, planner, index, file_module, /* post= */ true);
        if (r < 0)
                return r;
        r = add_candidate(run, module, /* required= */ true);
        if (r >= 0)
                r = add_command(find_candidate(run, module), index_get_config(index), file_module);
        if (r < 0)
                return r;
        for (size_t i = known ? known->n_dependencies : 0; i > 0; i--) {
                r = add_candidate(run,
                                  planner_kernel_name(planner, index, known->dependencies[i - 1]->name,
                                                      FACTS_READ_UNUSUAL),
                                  /* required= */ false);
                if (r < 0)
                        return r;
        }
        r = add_softdeps(run, planner, index, file_module, /* post= */ false);
        if (r < 0)
                return r;
        return mark_claims(run, planner, index, module);
}

/**
 * unload_run_new() - nothing happens before unload_run_start()
 * @planner: for the names of modules, during the call
 * @module:  as the kernel calls it; loaded and not in use as far as the caller knows
 *
 * Return: 0, -ENOMEM, or what reading /proc/modules gave.
 */
int unload_run_new(UnloadRun **ret, Scheduler *scheduler, Ledger *ledger, const Planner *planner,
                   const Index *index, const char *module, Request *request, unload_run_done_t done,
                   void *userdata) {
        _cleanup_(unload_run_freep) UnloadRun *run = NULL;
        int r;

        assert(ret && scheduler && ledger && planner && index && module && request && done);

        run = calloc(1, sizeof(*run));
        if (!run)
                return -ENOMEM;
        *run = (UnloadRun) {
                .scheduler = scheduler,
                .ledger = ledger,
                .request = request_ref(request),
                .done = done,
                .userdata = userdata,
        };

        r = find_candidates(run, planner, index, module);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(run);
        return 0;
}

/* Return: NULL. A removal that was submitted goes on without it. */
UnloadRun *unload_run_free(UnloadRun *run) {
        if (!run)
                return NULL;

        if (run->submitted)
                scheduler_forget(run->scheduler, run);
        for (size_t i = 0; i < run->n_candidates; i++) {
                free(run->candidates[i].module);
                free(run->candidates[i].command);
                string_list_free(run->candidates[i].claimed_by);
        }
        free(run->candidates);
        record_list_clear(&run->records);
        record_unref(run->failure);
        request_unref(run->request);
        free(run);
        return NULL;
}

static bool is_claimed(const Candidate *c) {
        for (char **by = c->claimed_by; by && *by; by++)
                if (module_state_read(*by) != MODULE_ABSENT)
                        return true;
        return false;
}

static bool may_go(const UnloadRun *run, const Candidate *c) {
        unsigned ref_count;

        if (c->required)
                return true;            /* the kernel decides */
        if (module_state_read(c->module) != MODULE_LIVE)
                return false;
        if (module_ref_count(c->module, &ref_count) < 0 || ref_count > 0)
                return false;
        return !ledger_was_requested(run->ledger, c->module) && !is_claimed(c);
}

static int unload_run_advance(UnloadRun *run);

static void on_removed(Record *record, void *userdata) {
        UnloadRun *run = userdata;
        const Candidate *c = run->candidates + run->next++;
        int r;

        run->submitted = false;
        (void) record_list_add(&run->records, record);
        if (c->required && !outcome_is_success(record->outcome)) {
                run->failure = record_ref(record);
                run->next = run->n_candidates;
        } else if (c->required && c->command)
                run->next = run->n_candidates; /* the command is responsible for the rest, modprobe.d(5) */

        r = unload_run_advance(run);
        if (r < 0) {
                run->error = r;
                run->done(run, run->userdata);
        }
}

static int unload_run_advance(UnloadRun *run) {
        while (run->next < run->n_candidates) {
                const Candidate *c = run->candidates + run->next;
                int r;

                if (!may_go(run, c)) {
                        run->next++;
                        continue;
                }
                r = scheduler_submit(run->scheduler,
                                     &(JobSpec) {
                                             .op = c->command ? LOADER_REMOVE_COMMAND : LOADER_REMOVE,
                                             .module = c->command ?: c->module,
                                             .kernel_name = c->module,
                                             .request = run->request,
                                     },
                                     on_removed, run);
                if (r < 0 && c->required)
                        return r;
                if (r < 0) {
                        run->next++;    /* it stays; the requested module was removed */
                        continue;
                }
                run->submitted = true;
                return 0;
        }

        run->done(run, run->userdata);
        return 0;
}

/**
 * unload_run_start() - begin; @done is called from the event loop
 *
 * Return: 0 or -ENOMEM with nothing begun.
 */
int unload_run_start(UnloadRun *run) {
        assert(run);

        return unload_run_advance(run);
}

/* The records so far, in the order in which they were finished. */
const RecordList *unload_run_get_records(const UnloadRun *run) {
        assert(run);

        return &run->records;
}

/* 0, or the negative errno for which the removal could not even be tried. */
int unload_run_get_error(const UnloadRun *run) {
        assert(run);

        return run->error;
}

/* The failure of the module itself; borrowed, NULL if it was removed. */
Record *unload_run_get_failure(const UnloadRun *run) {
        assert(run);

        return run->failure;
}
