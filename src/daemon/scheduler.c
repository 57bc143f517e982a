/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Scheduler: jobs, each one insert, removal or command for one module. Owns the jobs, their timers and the
 * connection to the loader; borrows the kernel's log and the counters. Knows nothing of plans: whoever submits a
 * job has seen to it that what it needs is there.
 *
 * Of the jobs that may run, the one goes first that the most depends on: the sum, over all that wait for it,
 * of the time that they will take once it is there (the critical path of each). With that, twenty devices
 * that wait for one bus driver bring it forward, and a long chain begins before the short ones.
 *
 * A running job is never killed and never given up: its module's init is running in the kernel and cannot be
 * stopped. It may become slow, which is told, and nothing else.
 *
 * finit_module(2) returns later than a module can be used: it sleeps until every asynchronous probe of the whole
 * system is over (async_synchronize_full() in kernel/module/main.c), which a SCSI bus that settles makes seconds,
 * for all loads at once. A job whose module is live by then takes no room from others, and what depends on
 * it may begin; it is over, and so is the request behind it, when the system call has returned, as with modprobe.
 */

#include "daemon/scheduler.h"

#include <assert.h>
#include <sys/queue.h>

#include "common/names-match.h"
#include "daemon/clock.h"
#include "daemon/durations.h"
#include "daemon/job-record.h"
#include "daemon/loader-client.h"
#include "daemon/loader-order.h"
#include "daemon/log.h"
#include "daemon/module-state.h"

#define TO(state) (1U << (state))

typedef struct Waiter Waiter;
struct Waiter {
        JobSpec spec;                   /* borrowed; read only if it has @may */
        bool owns;                      /* the job's record is of its request */
        job_live_t live;                /* NULL: called, or of no interest */
        job_done_t done;
        void *userdata;
        STAILQ_ENTRY(Waiter) next;
};

typedef struct Job Job;
struct Job {
        Scheduler *scheduler;
        uint64_t id;                    /* in the loader protocol */
        JobState state;
        LoaderOp op;
        unsigned flags;
        char *path;
        LoaderWords *words;             /* NULL: none */
        bool too_long;                  /* they do not fit into a request */
        Record *record;
        uint64_t urgency;               /* the sum of the ranks of all that asked for it */
        bool serial;                    /* not beside another of this kind */
        Job *earlier;                   /* of the same module, has to be over first; NULL: none */
        uint64_t started_usec;          /* CLOCK_MONOTONIC */
        sd_event_source *slow_source;
        STAILQ_HEAD(, Waiter) waiters;
        TAILQ_ENTRY(Job) next;
};

/*
 * What a running job takes room of. An install or remove command may ask for other modules and wait for them, so
 * it must never have the room that those need.
 */
typedef enum Slot {
        SLOT_KERNEL,                    /* inserts and removals */
        SLOT_COMMAND,
        _SLOT_MAX,
} Slot;

struct Scheduler {
        sd_event *event;
        sd_event_source *start_source;  /* starts what is ready, from the loop */
        sd_event_source *idle_source;   /* lets the loader go */
        LoaderClient *loader;
        LoaderTrouble trouble;          /* its latest */
        KernelLog *kernel_log;
        Counters *counters;
        scheduler_observer_t observer;
        void (*loader_lost)(void *userdata);
        void (*loader_changed)(LoaderTrouble trouble, void *userdata);
        void *userdata;
        SchedulerLimits limits;
        unsigned n_running[_SLOT_MAX], n_live, n_running_serial;
        size_t n_queued;
        uint64_t last_id, loader_idle_usec;
        Durations durations;
        TAILQ_HEAD(JobList, Job) jobs;  /* not finished, oldest first */
        Job *telling;                   /* finished and off the list, its waiters are being told */
};

_unused_ static const unsigned job_next[_JOB_STATE_MAX] = { /* an empty row is a final state */
        [JOB_QUEUED] = TO(JOB_RUNNING) | TO(JOB_FINISHED), /* finished: nothing was left to do, or no loader */
        [JOB_RUNNING] = TO(JOB_LIVE) | TO(JOB_FINISHED),
        [JOB_LIVE] = TO(JOB_FINISHED),
};

/* ------------------------------------------------------------------------------------------------ job */

static Job *job_free(Job *j) {
        Waiter *w;

        if (!j)
                return NULL;

        while ((w = STAILQ_FIRST(&j->waiters))) {
                STAILQ_REMOVE_HEAD(&j->waiters, next);
                free(w);
        }
        sd_event_source_disable_unref(j->slow_source);
        record_unref(j->record);
        free(j->path);
        free(j->words);
        free(j);
        return NULL;
}
DEFINE_CLEANUP(Job, job_free);

static Slot job_slot(const Job *j) {
        return j->op == LOADER_INSTALL_COMMAND || j->op == LOADER_REMOVE_COMMAND ? SLOT_COMMAND : SLOT_KERNEL;
}

static bool job_is_in_loader(const Job *j) {
        return j->state == JOB_RUNNING || j->state == JOB_LIVE;
}

static int job_add_waiter(Job *j, const JobSpec *spec, bool owns, job_done_t done, void *userdata) {
        Waiter *w = calloc(1, sizeof(*w));

        if (!w)
                return -ENOMEM;
        w->spec = *spec;
        w->owns = owns;
        w->live = spec->live;
        w->done = done;
        w->userdata = userdata;
        STAILQ_INSERT_TAIL(&j->waiters, w, next);
        return 0;
}

/* Does it for this request from now on; nothing has been done yet. On failure it is as before. */
static int job_take_spec(Job *j, const JobSpec *spec) {
        const char *async_probe_modules = j->scheduler->limits.async_probe_modules;
        _cleanup_(record_unrefp) Record *record = NULL;
        _cleanup_(freep) LoaderWords *words = NULL;
        _cleanup_(freep) char *path = NULL;
        bool too_long;
        int r;

        if (spec->path && !(path = strdup(spec->path)))
                return -ENOMEM;
        r = loader_words_new(&words, spec->words, spec->n_words,
                             job_wants_async_probe(spec, async_probe_modules) ? "async_probe" : NULL);
        too_long = r == -E2BIG;
        if (r < 0 && !too_long)
                return r;
        r = job_record_new(&record, spec, async_probe_modules);
        if (r < 0)
                return r;
        if (j->record)
                record->submitted_usec = j->record->submitted_usec;

        record_unref(j->record);
        j->record = STEAL_PTR(record);
        free(j->path);
        j->path = STEAL_PTR(path);
        free(j->words);
        j->words = STEAL_PTR(words);
        j->too_long = too_long;
        return 0;
}

static int job_new(Job **ret, Scheduler *s, const JobSpec *spec) {
        _cleanup_(job_freep) Job *j = NULL;
        int r;

        j = calloc(1, sizeof(*j));
        if (!j)
                return -ENOMEM;
        STAILQ_INIT(&j->waiters);
        j->scheduler = s;
        j->op = spec->op;
        j->flags = job_flags(spec);
        j->serial = s->limits.serial_modules && names_match(s->limits.serial_modules, spec->module);
        r = job_take_spec(j, spec);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(j);
        return 0;
}

/* Off the list of what is to be done. */
static void job_unlink(Job *j) {
        Scheduler *s = j->scheduler;
        Job *later;

        TAILQ_REMOVE(&s->jobs, j, next);
        TAILQ_FOREACH(later, &s->jobs, next)
                if (later->earlier == j)
                        later->earlier = NULL;
        (void) sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT);
}

/* Nobody wants it any more, and nobody ever heard of it. */
static void job_leave(Job *j) {
        assert(j->state == JOB_QUEUED);

        j->scheduler->n_queued--;
        job_unlink(j);
        job_free(j);
}

static Waiter *find_refused(const Job *j) {
        Waiter *w;

        STAILQ_FOREACH(w, &j->waiters, next)
                if (w->spec.may && !w->spec.may(w->userdata))
                        return w;
        return NULL;
}

/*
 * The last moment at which nothing has been done. Each who waits is asked, since what one may another may not; who may
 * not leaves, and the job goes on for the others. Whoever is told may submit, join and forget: each time the search
 * begins anew.
 *
 * Return: 1: go on; 0: nobody is left; -ENOMEM.
 */
static int job_ask_waiters(Job *j) {
        bool had_any = !STAILQ_EMPTY(&j->waiters), needs_owner = false;
        Waiter *w;

        while ((w = find_refused(j))) {
                STAILQ_REMOVE(&j->waiters, w, Waiter, next);
                needs_owner |= w->owns;
                w->done(NULL, w->userdata);
                free(w);
        }
        w = STAILQ_FIRST(&j->waiters);
        if (!w)
                return had_any ? 0 : 1; /* of those who went away it is not known, and they were allowed */
        if (!needs_owner || !w->spec.may)
                return 1;
        w->owns = true;
        return job_take_spec(j, &w->spec) < 0 ? -ENOMEM : 1;
}

/*
 * Where a job changes its state, but for job_leave(). A finished one is off the list afterwards, its waiters told,
 * and freed.
 */
static void job_enter(Job *j, JobState to) {
        Scheduler *s = j->scheduler;
        Waiter *w;

        assert(job_next[j->state] & TO(to));

        if (j->state == JOB_QUEUED)
                s->n_queued--;
        else if (j->state == JOB_RUNNING)
                s->n_running[job_slot(j)]--;
        else
                s->n_live--;
        if (to == JOB_RUNNING) {
                s->n_running[job_slot(j)]++;
                s->n_running_serial += j->serial;
        } else if (to == JOB_LIVE)
                s->n_live++;
        else if (job_is_in_loader(j))
                s->n_running_serial -= j->serial;
        j->state = to;
        if (to == JOB_LIVE)
                (void) sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT); /* there, it is told */
        if (to != JOB_FINISHED)
                return;

        j->slow_source = sd_event_source_disable_unref(j->slow_source);
        job_unlink(j);
        s->telling = j;
        s->observer(SCHEDULER_FINISHED, j->record, s->userdata);
        while ((w = STAILQ_FIRST(&j->waiters))) {
                STAILQ_REMOVE_HEAD(&j->waiters, next);
                w->done(j->record, w->userdata);
                free(w);
        }
        s->telling = NULL;
        job_free(j);
}

/* It never came to the kernel, or nobody knows what became of it there. */
static void job_give_up(Job *j, int error) {
        job_record_explain_loader(j->record, error, j->scheduler->trouble, job_is_in_loader(j));
        job_enter(j, JOB_FINISHED);
}

static void job_finish(Job *j, int error, LoaderRefusal refusal, int wait_status) {
        record_set_whereabouts(j->record, 0, "");
        if (error == 0) {
                j->record->outcome = job_success(j->op);
                if (j->op == LOADER_INSERT)
                        durations_note(&j->scheduler->durations, j->record->module,
                                       j->record->live_usec ?: j->record->duration_usec);
        } else if (error == -EEXIST && j->op == LOADER_INSERT)
                j->record->outcome = OUTCOME_ALREADY_LOADED; /* somebody else was faster */
        else if (error == -ENOENT && j->op == LOADER_REMOVE)
                j->record->outcome = OUTCOME_UNLOADED;
        else
                job_record_explain(j->record, j->scheduler->kernel_log, error, refusal, wait_status);
        job_enter(j, JOB_FINISHED);
}

static Job *find_job_by_id(const Scheduler *s, uint64_t id) {
        Job *j;

        TAILQ_FOREACH(j, &s->jobs, next)
                if (j->id == id)
                        return j;
        return NULL;
}

/* It is reported again and again while it goes on, and is one slow job all the same. */
static void report_slow(Job *j) {
        Scheduler *s = j->scheduler;

        if (!j->record->slow)
                s->counters->slow++;
        j->record->slow = true;
        s->observer(SCHEDULER_SLOW, j->record, s->userdata);
}

/* Comes again each time: at 10 s, 20 s, 40 s .. */
static int on_slow(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *j = userdata;
        Scheduler *s = j->scheduler;
        uint64_t so_far = clock_usec(CLOCK_MONOTONIC) - j->started_usec, id = j->id;

        j->record->duration_usec = so_far;
        if (sd_event_source_set_time_relative(source, so_far) >= 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);

        /* It is told of when the loader has said where it is. Sending may find the loader lost, and end the job. */
        if (loader_client_send(s->loader, &(LoaderOrder) { .op = LOADER_LOOK, .id = id }) >= 0)
                return 0;
        j = find_job_by_id(s, id);
        if (j && job_is_in_loader(j))
                report_slow(j);
        return 0;
}

/* ------------------------------------------------------------------------------------------ scheduler */

static void on_loader_done(const LoaderOutcome *outcome, void *userdata) {
        Scheduler *s = userdata;
        Job *j = find_job_by_id(s, outcome->id);

        if (!j || !job_is_in_loader(j))
                return;                 /* of a connection that was given up */
        j->record->duration_usec = outcome->duration_usec;
        job_finish(j, outcome->error, outcome->refusal, outcome->wait_status);
}

/* A slow job is told of together with where it is. */
static void on_loader_looked(uint64_t id, int thread_id, const char *stack, void *userdata) {
        Scheduler *s = userdata;
        Job *j = find_job_by_id(s, id);

        if (!j || !job_is_in_loader(j))
                return;
        record_set_whereabouts(j->record, thread_id, stack);
        report_slow(j);
}

static Job *find_running_before(const Scheduler *s, uint64_t last_id) {
        Job *j;

        TAILQ_FOREACH(j, &s->jobs, next)
                if (job_is_in_loader(j) && j->id <= last_id)
                        return j;
        return NULL;
}

static void end_running(Scheduler *s, int error) {
        uint64_t last_id = s->last_id;
        Job *j;

        for (bool done; (j = find_running_before(s, last_id));) {
                done = j->state == JOB_LIVE || job_was_done(j->op, j->record->module);
                j->record->duration_usec = clock_usec(CLOCK_MONOTONIC) - j->started_usec;
                if (!done && error == -EHOSTDOWN)
                        job_give_up(j, error);
                else
                        job_finish(j, done ? 0 : error, LOADER_NOT_REFUSED, 0);
        }
}

static void on_loader_lost(void *userdata) {
        Scheduler *s = userdata;

        if (!find_running_before(s, s->last_id))
                return; /* idle, and started again when it is needed */
        log_error("lkmd-loader went away; what it was doing counts as done where the module's state says so, "
                  "else as failed; it is started again when needed");
        end_running(s, -ECONNRESET);
        s->loader_lost(s->userdata);
}

/* It may carry out later what it has got, and its answers are nobody's then. */
static void on_loader_changed(LoaderTrouble trouble, void *userdata) {
        Scheduler *s = userdata;

        s->trouble = trouble;
        if (trouble != LOADER_IS_WELL)
                end_running(s, -EHOSTDOWN);
        if (s->loader_changed)
                s->loader_changed(trouble, s->userdata);
}

/* Words and force that are root's alone come with the connection of root's process, which proves them. */
static int job_send(const Job *j) {
        bool has_client = j->record->request->client_fd >= 0 &&
                          ((j->flags & LOADER_FORCE_ANY) || loader_words_have_client(j->words));

        return loader_client_send(j->scheduler->loader,
                                  &(LoaderOrder) {
                                          .op = j->op,
                                          .id = j->id,
                                          .flags = j->flags | (has_client ? LOADER_HAS_CLIENT : 0),
                                          .client_fd = j->record->request->client_fd,
                                          .module = j->record->module,
                                          .path = j->path,
                                          .words = j->words,
                                  });
}

static void job_start(Job *j) {
        Scheduler *s = j->scheduler;
        Record *record;
        int r;

        if (!j->record->removal && module_state_read(j->record->module) == MODULE_LIVE) {
                job_record_already_loaded(j->record);
                job_enter(j, JOB_FINISHED);
                return;
        }
        r = job_ask_waiters(j);
        if (r == 0) {
                job_leave(j);
                return;
        }
        if (r < 0) {
                job_give_up(j, r);
                return;
        }
        record = j->record;

        if (s->n_running[SLOT_KERNEL] + s->n_running[SLOT_COMMAND] == 0)
                kernel_log_skip(s->kernel_log);
        j->started_usec = clock_usec(CLOCK_MONOTONIC);
        if (s->limits.slow_usec != UINT64_MAX) {
                r = sd_event_add_time_relative(s->event, &j->slow_source, CLOCK_MONOTONIC,
                                               s->limits.slow_usec, 0, on_slow, j);
                if (r < 0)
                        log_warning("%s: no timer for slow loads: %s", record->module, strerror(-r));
        }

        s->observer(SCHEDULER_STARTED, record, s->userdata);
        /* Not running before it is sent: a loss of the loader that shows only now is not this job's. */
        r = j->too_long ? -E2BIG : job_send(j);
        if (r < 0)
                job_give_up(j, r);
        else
                job_enter(j, JOB_RUNNING);
}

/* An earlier job of the same module has to be over first: a removal after its insert, and so on. */
static bool job_is_ready(const Job *j) {
        const Scheduler *s = j->scheduler;

        if (j->state != JOB_QUEUED || j->earlier || (j->serial && s->n_running_serial > 0))
                return false;
        if (job_slot(j) == SLOT_COMMAND)
                return s->n_running[SLOT_COMMAND] < COMMANDS_MAX;
        return s->n_running[SLOT_KERNEL] < s->limits.loads &&
               s->n_running[SLOT_KERNEL] + s->n_live < LOADER_THREADS_MAX - COMMANDS_MAX;
}

/* The most urgent one; of equals, the oldest. */
static Job *find_ready(const Scheduler *s) {
        Job *best = NULL, *j;

        TAILQ_FOREACH(j, &s->jobs, next)
                if (job_is_ready(j) && (!best || j->urgency > best->urgency))
                        best = j;
        return best;
}

/* While there is nothing to do, no process with CAP_SYS_MODULE is needed, and no memory for it. */
static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        Scheduler *s = userdata;

        if (TAILQ_EMPTY(&s->jobs))
                loader_client_release(s->loader);
        return 0;
}

static void expect_idleness(Scheduler *s) {
        if (TAILQ_EMPTY(&s->jobs) &&
            sd_event_source_set_time_relative(s->idle_source, s->loader_idle_usec) >= 0)
                (void) sd_event_source_set_enabled(s->idle_source, SD_EVENT_ONESHOT);
}

static Waiter *find_untold(const Scheduler *s) {
        Job *j;
        Waiter *w;

        TAILQ_FOREACH(j, &s->jobs, next)
                if (j->state == JOB_LIVE)
                        STAILQ_FOREACH(w, &j->waiters, next)
                                if (w->live)
                                        return w;
        return NULL;
}

/* Whoever is told may submit, join and forget: each time the search begins anew. */
static void tell_live(Scheduler *s) {
        Waiter *w;

        while ((w = find_untold(s))) {
                job_live_t live = w->live;

                w->live = NULL;
                live(w->userdata);
        }
}

static int on_start(sd_event_source *source, void *userdata) {
        Scheduler *s = userdata;
        Job *j;

        tell_live(s);
        while ((j = find_ready(s)))
                job_start(j);
        expect_idleness(s);
        return 0;
}

/**
 * scheduler_new() - with one load at a time until scheduler_set_limits() says more
 *
 * Return: 0, -ENOMEM or what sd_event_add_defer(3) says.
 */
int scheduler_new(Scheduler **ret, const SchedulerOptions *options) {
        _cleanup_(scheduler_freep) Scheduler *s = NULL;
        int r;

        assert(ret && options && options->event && options->loader_address && options->observer);
        assert(options->loader_lost && options->kernel_log && options->counters);

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->event = sd_event_ref(options->event);
        s->kernel_log = options->kernel_log;
        s->counters = options->counters;
        s->observer = options->observer;
        s->loader_lost = options->loader_lost;
        s->loader_changed = options->loader_changed;
        s->loader_idle_usec = options->loader_idle_usec ?: LOADER_IDLE_USEC;
        s->userdata = options->userdata;
        s->limits = (SchedulerLimits) { .loads = 1, .slow_usec = UINT64_MAX };
        TAILQ_INIT(&s->jobs);

        r = loader_client_new(&s->loader, s->event, options->loader_address, options->loader_program,
                              &(LoaderCallbacks) {
                                      .done = on_loader_done,
                                      .looked = on_loader_looked,
                                      .lost = on_loader_lost,
                                      .changed = on_loader_changed,
                                      .userdata = s,
                              });
        if (r < 0)
                return r;
        r = sd_event_add_defer(s->event, &s->start_source, on_start, s);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(s->start_source, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(s->event, &s->idle_source, CLOCK_MONOTONIC, s->loader_idle_usec, 0,
                                       on_idle, s);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(s);
        return 0;
}

/* Return: NULL. Nobody who waits is called any more; what is in the loader goes on there. */
Scheduler *scheduler_free(Scheduler *s) {
        Job *j;

        if (!s)
                return NULL;

        while ((j = TAILQ_FIRST(&s->jobs))) {
                TAILQ_REMOVE(&s->jobs, j, next);
                job_free(j);
        }
        loader_client_free(s->loader);
        sd_event_source_disable_unref(s->start_source);
        sd_event_source_disable_unref(s->idle_source);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}

/* Have the loader started while there is nothing for it to do yet: that takes systemd some time. */
void scheduler_prepare(Scheduler *s) {
        assert(s);

        loader_client_prepare(s->loader);
}

/* From the settings; what runs already goes on. The lists of names stay where they are while this is in force. */
void scheduler_set_limits(Scheduler *s, const SchedulerLimits *limits) {
        assert(s && limits && limits->loads > 0 && limits->loads <= LOADS_MAX);

        s->limits = *limits;
        loader_client_set_timeout(s->loader, limits->loader_timeout_usec ?: UINT64_MAX);
        (void) sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT);
}

static Job *find_latest(const Scheduler *s, const char *module) {
        Job *j;

        TAILQ_FOREACH_REVERSE(j, &s->jobs, JobList, next)
                if (streq(j->record->module, module))
                        return j;
        return NULL;
}

/**
 * scheduler_submit() - have one thing done to one module
 * @done: called once with the record of what was done, which may be another request's that did the same
 *
 * Return: 0, or -ENOMEM with nothing queued.
 */
int scheduler_submit(Scheduler *s, const JobSpec *spec, job_done_t done, void *userdata) {
        _cleanup_(job_freep) Job *j = NULL;
        Job *latest, *queued;
        int r;

        assert(s && spec && spec->module && spec->request && done);

        /* only the latest one: what an earlier one does will be undone by it */
        latest = find_latest(s, spec->module);
        if (latest && latest->op == spec->op && latest->flags == job_flags(spec)) {
                r = job_add_waiter(latest, spec, /* owns= */ false, done, userdata);
                if (r < 0)
                        return r;
                if (latest->state == JOB_LIVE)
                        (void) sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT);
                s->counters->joins++;
                latest->urgency += spec->rank_usec;
                latest->record->also_requested |= spec->reason == PLAN_REQUESTED &&
                                                  latest->record->reason != PLAN_REQUESTED;
                return 0;
        }

        r = job_new(&j, s, spec);
        if (r < 0)
                return r;
        r = job_add_waiter(j, spec, /* owns= */ true, done, userdata);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT);
        if (r < 0)
                return r;

        j->id = ++s->last_id;
        j->urgency = spec->rank_usec;
        j->earlier = latest;
        counters_note_queue(s->counters, ++s->n_queued);
        queued = STEAL_PTR(j);          /* the macro names its argument more than once */
        TAILQ_INSERT_TAIL(&s->jobs, queued, next);
        return 0;
}

/**
 * scheduler_note_live() - the kernel says that a module has gone through its init
 *
 * To be called when its uevent came and /sys/module/NAME/initstate says live: before Linux 5.12 the uevent came before
 * the init. Nothing fails any more in finit_module(2) after that (do_init_module() in kernel/module/main.c). Nothing
 * happens unless an insert of it is under way.
 */
void scheduler_note_live(Scheduler *s, const char *module) {
        Job *j;

        assert(s && module);

        TAILQ_FOREACH(j, &s->jobs, next)
                if (j->state == JOB_RUNNING && j->op == LOADER_INSERT && streq(j->record->module, module)) {
                        j->record->live_usec = MAX(clock_usec(CLOCK_MONOTONIC) - j->started_usec, (uint64_t) 1);
                        job_enter(j, JOB_LIVE);
                        return;
                }
}

static void job_forget(Job *j, void *userdata) {
        Waiter *w = STAILQ_FIRST(&j->waiters);

        while (w) {
                Waiter *following = STAILQ_NEXT(w, next);

                if (w->userdata == userdata) {
                        STAILQ_REMOVE(&j->waiters, w, Waiter, next);
                        free(w);
                }
                w = following;
        }
}

/* Whoever waits with @userdata goes away, also while outcomes are being told; the jobs go on. */
void scheduler_forget(Scheduler *s, void *userdata) {
        Job *j;

        assert(s);

        TAILQ_FOREACH(j, &s->jobs, next)
                job_forget(j, userdata);
        if (s->telling)
                job_forget(s->telling, userdata);
}

bool scheduler_is_idle(const Scheduler *s) {
        assert(s);

        return TAILQ_EMPTY(&s->jobs);
}

/* Is a job for this module waiting for its turn? */
bool scheduler_is_queued(const Scheduler *s, const char *module) {
        const Job *j;

        assert(s && module);

        TAILQ_FOREACH(j, &s->jobs, next)
                if (j->state == JOB_QUEUED && streq(j->record->module, module))
                        return true;
        return false;
}

/* Is anything under way for this module, or waiting for its turn? */
bool scheduler_has_job(const Scheduler *s, const char *module) {
        assert(s && module);

        return find_latest(s, module) != NULL;
}

size_t scheduler_count_queued(const Scheduler *s) {
        assert(s);

        return s->n_queued;
}

/* What keeps the loader from its work now. */
LoaderTrouble scheduler_get_trouble(const Scheduler *s) {
        assert(s);

        return s->trouble;
}

/* How long loading this module will probably take, by what it took before. */
uint64_t scheduler_expect_usec(const Scheduler *s, const char *module) {
        assert(s && module);

        return durations_expect(&s->durations, module);
}

/* What is known of loads from before this scheduler. */
void scheduler_remember(Scheduler *s, const char *module, uint64_t usec) {
        assert(s && module);

        durations_note(&s->durations, module, usec);
}

/* What an earlier lkmd of this boot found out; the latest load of a module comes last and stays. */
void scheduler_learn(Scheduler *s, const Ledger *ledger) {
        assert(s && ledger);

        for (size_t i = ledger_count(ledger); i > 0; i--) {
                const Record *record = ledger_get(ledger, i - 1);

                if (record->outcome == OUTCOME_LOADED && record->duration_usec > 0)
                        scheduler_remember(s, record->module, record->live_usec ?: record->duration_usec);
        }
}

/**
 * scheduler_get_running() - the records of what is in the loader now, their durations brought up to date
 *
 * Return: 0 or -ENOMEM.
 */
int scheduler_get_running(const Scheduler *s, RecordList *list) {
        Job *j;
        int r;

        assert(s && list);

        TAILQ_FOREACH(j, &s->jobs, next) {
                if (!job_is_in_loader(j))
                        continue;
                j->record->duration_usec = clock_usec(CLOCK_MONOTONIC) - j->started_usec;
                r = record_list_add(list, j->record);
                if (r < 0)
                        return r;
        }
        return 0;
}
