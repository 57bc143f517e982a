/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Scheduler: decides when jobs run. Owns the jobs, their timers and the connections to lkmd-loader and
 * lkmd-command; borrows the kernel's log and the counters. Knows nothing of plans: whoever submits a job has made
 * sure that its dependencies are loaded.
 *
 * Of the jobs that may run, the one on which the most depends goes first: its urgency is the sum, over all waiters,
 * of the time that the longest chain behind it will take (the critical path). So a bus driver that twenty devices
 * wait for comes early, and a long chain begins before short ones.
 *
 * A job for a request of the kernel's own runs beside all limits. Somebody's system call waits for it, which may be
 * the one that carries out another job: an init that asks for a module. If it had to wait for a slot, that job would
 * have to end first, which it cannot.
 *
 * A running job is never killed and never given up: the init of its module runs in the kernel and cannot be stopped.
 * A slow job is reported, nothing else.
 *
 * finit_module(2) returns later than the module can be used: it sleeps until all asynchronous probes of the whole
 * system are over (async_synchronize_full() in kernel/module/main.c), which takes seconds for all loads while a
 * SCSI bus settles. A job whose module is live by then frees its slot, and what depends on it may begin; the job
 * and its requests are over when the system call has returned, as with modprobe.
 */

#include "daemon/engine/scheduler.h"

#include <assert.h>
#include <sys/queue.h>

#include "common/base/clock.h"
#include "common/module/module-list.h"
#include "daemon/base/log.h"
#include "daemon/base/module-state.h"
#include "daemon/engine/command-client.h"
#include "daemon/engine/durations.h"
#include "daemon/engine/job-operation.h"
#include "daemon/engine/job-record.h"
#include "daemon/engine/job.h"
#include "daemon/engine/loader-client.h"

/* Where __request_module() of kernel/module/kmod.c sleeps until the program that it has started exits. */
#define ASKING_FUNCTION "call_usermodehelper_exec"

struct Scheduler {
        sd_event *event;
        sd_event_source *start_source;  /* starts jobs that are ready, from the loop */
        LoaderClient *loader;
        CommandClient *commands;
        LoaderTrouble trouble;          /* its latest */
        KernelLog *kernel_log;
        Counters *counters;
        FileFacts *files;
        scheduler_observer_t observer;
        void (*loader_lost)(void *userdata);
        void (*loader_changed)(LoaderTrouble trouble, void *userdata);
        void *userdata;
        SchedulerLimits limits;
        unsigned n_running[_JOB_SLOT_MAX], n_live, n_running_serial, n_slow_commands;
        unsigned n_for_kernel;          /* of n_running[JOB_SLOT_KERNEL] */
        size_t n_queued;
        uint64_t last_id;
        Durations durations;
        TAILQ_HEAD(JobList, Job) jobs;  /* not finished, oldest first */
        Job *reporting;                   /* finished and off the list, while its waiters are called */
};

/* ------------------------------------------------------------------------------------------------ job */

/* Removes a job from the list. */
static void unlink_job(Job *j) {
        Scheduler *s = j->scheduler;
        Job *later;

        TAILQ_REMOVE(&s->jobs, j, next);
        TAILQ_FOREACH(later, &s->jobs, next)
                if (later->earlier == j)
                        later->earlier = NULL;
        (void) sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT);
}

/* All its waiters were denied: drop a queued job, which nobody has observed. */
static void drop_job(Job *j) {
        assert(j->state == JOB_QUEUED);

        j->scheduler->n_queued--;
        unlink_job(j);
        job_free(j);
}

/* It may hang, so it does not take a place from other commands any longer. */
static bool is_slow_command(const Job *j) {
        return job_operation(j->op)->slot == JOB_SLOT_COMMAND && j->record->slow;
}

/* Beside the slots of all others. */
static bool has_no_slot(const Job *j) {
        return j->for_kernel && job_operation(j->op)->slot == JOB_SLOT_KERNEL;
}

/*
 * The only place where a job changes its state, except drop_job(). A finished job is removed from the list,
 * reported to its waiters, and freed.
 */
static void enter(Job *j, JobState to) {
        Scheduler *s = j->scheduler;

        assert(job_may_enter(j, to));

        if (j->state == JOB_QUEUED)
                s->n_queued--;
        else if (j->state == JOB_RUNNING) {
                s->n_running[job_operation(j->op)->slot]--;
                s->n_for_kernel -= has_no_slot(j);
        } else
                s->n_live--;
        if (to == JOB_RUNNING) {
                s->n_running[job_operation(j->op)->slot]++;
                s->n_for_kernel += has_no_slot(j);
                s->n_running_serial += j->serial;
        } else if (to == JOB_LIVE)
                s->n_live++;
        else if (job_is_under_way(j)) {
                s->n_running_serial -= j->serial;
                s->n_slow_commands -= is_slow_command(j);
        }
        j->state = to;
        if (to == JOB_LIVE)
                (void) sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT); /* which reports it */
        if (to != JOB_FINISHED)
                return;

        j->slow_source = sd_event_source_disable_unref(j->slow_source);
        unlink_job(j);
        s->reporting = j;
        s->observer(SCHEDULER_FINISHED, j->record, s->userdata);
        job_report(j);
        s->reporting = NULL;
        job_free(j);
}

/* The job did not reach the kernel or the shell, or its outcome there is not known. */
static void give_up(Job *j, int error) {
        if (j->by_command)
                job_record_explain_command(j->record, error);
        else
                job_record_explain_loader(j->record, error, j->scheduler->trouble, job_is_under_way(j));
        enter(j, JOB_FINISHED);
}

/*
 * The kernel has taken the file, or something of that name is there, and nothing is called like the file: what the
 * kernel calls it is inside of the file.
 */
static void find_out_name(const Job *j) {
        Record *record = j->record;
        const char *name;

        if (!job_operation(j->op)->inserts || !j->scheduler->files ||
            module_state_read(record->module) != MODULE_ABSENT)
                return;
        name = file_facts_name(j->scheduler->files, j->path, FACTS_READ);
        if (name && record_set_kernel_name(record, name) < 0)
                log_warning("%s: there is no memory for its name in the kernel, %s", record->module, name);
}

/* Once for each file. */
static void tell_name(const Job *j) {
        const Record *record = j->record;

        if (record->file_module && j->path && j->scheduler->files &&
            file_facts_tell_name(j->scheduler->files, j->path))
                log_info("the file %s has the module %s", j->path, record->module);
}

/*
 * EEXIST from the kernel means that the module is there, or comes from its init, after which it is gone again. That
 * can be told if the name in the file is known.
 */
static bool is_from_init(const Job *j, int error) {
        const char *name;

        if (error != -EEXIST || !job_operation(j->op)->inserts || !j->scheduler->files)
                return false;
        name = file_facts_name(j->scheduler->files, j->path, FACTS_READ);
        return name && module_state_read(name) == MODULE_ABSENT;
}

static void finish(Job *j, const LoaderOutcome *outcome) {
        const JobOperation *operation = job_operation(j->op);
        int error = outcome->error;

        record_set_whereabouts(j->record, 0, "");
        if (error == 0 || error == -EEXIST) {
                find_out_name(j);
                tell_name(j);
        }
        if (error == 0) {
                j->record->outcome = operation->success;
                if (operation->inserts)
                        durations_note(&j->scheduler->durations, j->record->module,
                                       j->record->live_usec ?: j->record->duration_usec);
        } else if (error == operation->done_error && !is_from_init(j, error))
                j->record->outcome = operation->done_outcome;
        else
                job_record_explain(j->record, j->scheduler->kernel_log, outcome,
                                   &(JobFile) { operation->inserts ? j->scheduler->files : NULL, j->path });
        enter(j, JOB_FINISHED);
}

static Job *find_job_by_id(const Scheduler *s, uint64_t id) {
        Job *j;

        TAILQ_FOREACH(j, &s->jobs, next)
                if (j->id == id)
                        return j;
        return NULL;
}

/* A slow job is reported repeatedly while it goes on, and counted once. */
static void report_slow(Job *j) {
        Scheduler *s = j->scheduler;

        if (!j->record->slow) {
                s->counters->slow++;
                j->record->slow = true;
                s->n_slow_commands += is_slow_command(j);
                (void) sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT);
        }
        s->observer(SCHEDULER_SLOW, j->record, s->userdata);
}

/* At 10 s, 20 s, 40 s ... */
static int on_slow(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *j = userdata;
        Scheduler *s = j->scheduler;
        uint64_t so_far = clock_usec(CLOCK_MONOTONIC) - j->started_usec, id = j->id;

        j->record->duration_usec = so_far;
        if (sd_event_source_set_time_relative(source, so_far) >= 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);

        if (j->by_command) {
                record_set_whereabouts(j->record, command_client_get_process(s->commands, id), "");
                report_slow(j);
                return 0;
        }
        /* Reported when the loader has answered where it is; one that has not got it answers, too. */
        j->tells_slow = true;
        if (loader_client_send(s->loader, &(LoaderOrder) { .op = LOADER_LOOK, .id = id }, NULL) < 0)
                report_slow(j);
        return 0;
}

/* ------------------------------------------------------------------------------------------ scheduler */

/* Return: 0, or what loader_client_send() or command_client_send() says. */
static int send_job(Job *j) {
        Scheduler *s = j->scheduler;
        LoaderOrder order;

        job_make_order(j, &order);
        return j->by_command ? command_client_send(s->commands, &order)
                             : loader_client_send(s->loader, &order, &j->connection);
}

/* The kernel cannot decompress the file of its module; lkmd-command has libkmod, which can. */
static void send_to_command(Job *j) {
        int r;

        j->by_command = true;
        r = send_job(j);
        if (r < 0)
                give_up(j, r);
}

static void on_loader_done(const LoaderOutcome *outcome, void *userdata) {
        Scheduler *s = userdata;
        Job *j = find_job_by_id(s, outcome->id);

        if (!j || !job_is_under_way(j) || j->by_command)
                return;                 /* the job was given up */
        if (outcome->refusal == LOADER_REFUSED_COMPRESSION) {
                send_to_command(j);
                return;
        }
        j->record->duration_usec = outcome->duration_usec;
        finish(j, outcome);
}

/* As far as the state of the module shows: whoever did it is gone. */
static bool was_done(const Job *j) {
        return j->state == JOB_LIVE || job_operation_was_done(j->op, j->record->module);
}

static void on_command_done(const LoaderOutcome *outcome, void *userdata) {
        Job *j = find_job_by_id(userdata, outcome->id);
        int error = outcome->error;

        if (!j || !job_is_under_way(j))
                return;
        j->record->duration_usec = outcome->duration_usec > 0
                                           ? outcome->duration_usec
                                           : clock_usec(CLOCK_MONOTONIC) - j->started_usec;
        if (error != -ECONNRESET && error != -ENOTCONN && error != -EPROTO)
                finish(j, outcome);
        else if (was_done(j))
                finish(j, &(LoaderOutcome) {});
        else
                give_up(j, error);
}

/* A slow job is reported together with where it is in the kernel. */
static void on_loader_looked(uint64_t id, int thread_id, const char *stack, void *userdata) {
        Scheduler *s = userdata;
        Job *j = find_job_by_id(s, id);

        if (!j || !job_is_under_way(j))
                return;
        record_set_whereabouts(j->record, thread_id, stack);
        j->looked_usec = clock_usec(CLOCK_MONOTONIC);
        j->asks_kernel = strstr(stack, ASKING_FUNCTION) != NULL;
        if (j->tells_slow)
                report_slow(j);
        j->tells_slow = false;
}

/* Have the loader say where the loads under way are in the kernel: Job.looked_usec changes when it has. */
void scheduler_look(Scheduler *s) {
        Job *j;

        assert(s);

        TAILQ_FOREACH(j, &s->jobs, next)
                if (job_is_under_way(j) && !j->by_command && !j->tells_slow)
                        (void) loader_client_send(s->loader,
                                                  &(LoaderOrder) { .op = LOADER_LOOK, .id = j->id }, NULL);
}

/* The job after @j, oldest first; NULL: the first, or there are no more. */
const Job *scheduler_next_job(const Scheduler *s, const Job *j) {
        assert(s);

        return j ? TAILQ_NEXT(j, next) : TAILQ_FIRST(&s->jobs);
}

/* In the loader at the other end of this connection. */
static Job *find_running_by(const Scheduler *s, uint64_t connection) {
        Job *j;

        TAILQ_FOREACH(j, &s->jobs, next)
                if (job_is_under_way(j) && !j->by_command && j->connection == connection)
                        return j;
        return NULL;
}

static void end_running(Scheduler *s, uint64_t connection, int error) {
        Job *j;

        for (bool done; (j = find_running_by(s, connection));) {
                done = was_done(j);
                j->record->duration_usec = clock_usec(CLOCK_MONOTONIC) - j->started_usec;
                if (!done && error == -EHOSTDOWN)
                        give_up(j, error);
                else
                        finish(j, &(LoaderOutcome) { .error = done ? 0 : error });
        }
}

static void on_loader_lost(uint64_t connection, void *userdata) {
        Scheduler *s = userdata;

        if (!find_running_by(s, connection))
                return; /* the loader was idle */
        log_error("lkmd-loader went away; what it was doing counts as done where the module's state says so, "
                  "else as failed; it is started again when needed");
        end_running(s, connection, -ECONNRESET);
        s->loader_lost(s->userdata);
}

/*
 * The loader may still carry out requests that it has received; their replies are ignored. Earlier loaders, which end
 * with their last request, are still waited for.
 */
static void on_loader_changed(LoaderTrouble trouble, void *userdata) {
        Scheduler *s = userdata;

        s->trouble = trouble;
        if (trouble != LOADER_IS_WELL)
                end_running(s, loader_client_get_connection(s->loader), -EHOSTDOWN);
        if (s->loader_changed)
                s->loader_changed(trouble, s->userdata);
}

static void start_job(Job *j) {
        Scheduler *s = j->scheduler;
        Record *record;
        int r;

        if (!j->record->removal && module_state_read(j->record->module) == MODULE_LIVE) {
                job_record_already_loaded(j->record);
                enter(j, JOB_FINISHED);
                return;
        }
        r = job_ask_waiters(j, s->limits.async_probe_modules);
        if (r == 0) {
                drop_job(j);
                return;
        }
        if (r < 0) {
                give_up(j, r);
                return;
        }
        record = j->record;

        if (s->n_running[JOB_SLOT_KERNEL] + s->n_running[JOB_SLOT_COMMAND] == 0)
                kernel_log_skip(s->kernel_log);
        j->started_usec = clock_usec(CLOCK_MONOTONIC);
        if (s->limits.slow_usec != UINT64_MAX) {
                r = sd_event_add_time_relative(s->event, &j->slow_source, CLOCK_MONOTONIC,
                                               s->limits.slow_usec, 0, on_slow, j);
                if (r < 0)
                        log_warning("%s: no timer for slow loads: %s", record->module, strerror(-r));
        }

        s->observer(SCHEDULER_STARTED, record, s->userdata);
        /* Not running before it is sent: what sending finds out about the loader does not concern this job. */
        j->by_command = job_operation(j->op)->slot == JOB_SLOT_COMMAND;
        r = j->too_long ? -E2BIG : send_job(j);
        if (r < 0)
                give_up(j, r);
        else
                enter(j, JOB_RUNNING);
}

/* Jobs of the same module run one after the other, such as a removal after an insert. */
static bool is_ready(const Job *j) {
        const Scheduler *s = j->scheduler;

        if (j->state != JOB_QUEUED || j->earlier || (j->serial && !j->for_kernel && s->n_running_serial > 0))
                return false;
        if (job_operation(j->op)->slot == JOB_SLOT_COMMAND)
                return (j->for_kernel ||
                        s->n_running[JOB_SLOT_COMMAND] - s->n_slow_commands < COMMANDS_MAX) &&
                       s->n_running[JOB_SLOT_COMMAND] < COMMANDS_LEFT_MAX;
        if (j->for_kernel)
                return s->n_running[JOB_SLOT_KERNEL] + s->n_live <
                       LOADER_THREADS_MAX + LOADER_THREADS_FOR_KERNEL;
        return s->n_running[JOB_SLOT_KERNEL] - s->n_for_kernel < s->limits.loads &&
               s->n_running[JOB_SLOT_KERNEL] + s->n_live < LOADER_THREADS_MAX;
}

/* The most urgent job that is ready; of equals, the oldest. */
static Job *find_ready(const Scheduler *s) {
        Job *best = NULL, *j;

        TAILQ_FOREACH(j, &s->jobs, next)
                if (is_ready(j) && (!best || j->urgency > best->urgency))
                        best = j;
        return best;
}

static JobWaiter *find_unreported(const Scheduler *s) {
        JobWaiter *w;
        Job *j;

        TAILQ_FOREACH(j, &s->jobs, next)
                if (j->state == JOB_LIVE)
                        STAILQ_FOREACH(w, &j->waiters, next)
                                if (w->live)
                                        return w;
        return NULL;
}

/* Callbacks may submit, join and forget, so each search starts from the beginning. */
static void report_live(Scheduler *s) {
        JobWaiter *w;

        while ((w = find_unreported(s))) {
                job_live_t live = w->live;

                w->live = NULL;
                live(w->userdata);
        }
}

static int on_start(sd_event_source *source, void *userdata) {
        Scheduler *s = userdata;
        Job *j;

        report_live(s);
        while ((j = find_ready(s)))
                start_job(j);
        return 0;
}

/**
 * scheduler_new() - with one load at a time until scheduler_set_limits() allows more
 *
 * Return: 0, -ENOMEM or what sd_event_add_defer(3) says.
 */
int scheduler_new(Scheduler **ret, const SchedulerOptions *options) {
        _cleanup_(scheduler_freep) Scheduler *s = NULL;
        int r;

        assert(ret && options && options->event && options->loader_address && options->command_address);
        assert(options->observer && options->loader_lost && options->kernel_log && options->counters);

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->event = sd_event_ref(options->event);
        s->kernel_log = options->kernel_log;
        s->counters = options->counters;
        s->files = options->files;
        s->observer = options->observer;
        s->loader_lost = options->loader_lost;
        s->loader_changed = options->loader_changed;
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
        r = command_client_new(&s->commands, s->event, options->command_address, on_command_done, s);
        if (r < 0)
                return r;
        r = sd_event_add_defer(s->event, &s->start_source, on_start, s);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(s->start_source, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(s);
        return 0;
}

/* Return: NULL. Waiters are not called any more; requests that the loader has received go on. */
Scheduler *scheduler_free(Scheduler *s) {
        Job *j;

        if (!s)
                return NULL;

        while ((j = TAILQ_FIRST(&s->jobs))) {
                TAILQ_REMOVE(&s->jobs, j, next);
                job_free(j);
        }
        loader_client_free(s->loader);
        command_client_free(s->commands);
        sd_event_source_disable_unref(s->start_source);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}

/* Have systemd start the loader before it is needed, since that takes some time. */
void scheduler_prepare(Scheduler *s) {
        assert(s);

        loader_client_prepare(s->loader);
}

/* Apply the settings; running jobs go on. The lists of names have to stay valid until the next call. */
void scheduler_set_limits(Scheduler *s, const SchedulerLimits *limits) {
        assert(s && limits && limits->loads > 0 && limits->loads <= LOADS_MAX);

        s->limits = *limits;
        loader_client_set_timeout(s->loader, limits->loader_timeout_usec ?: UINT64_MAX);
        (void) sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT);
}

static Job *find_latest(const Scheduler *s, const char *module) {
        Job *j;

        TAILQ_FOREACH_REVERSE(j, &s->jobs, JobList, next)
                if (record_is_about(j->record, module))
                        return j;
        return NULL;
}

/* Several files may have the same module, so equal names in the kernel do not make equal jobs. */
static bool can_join(const Job *latest, const JobSpec *spec) {
        return latest->op == spec->op && latest->flags == job_operation_flags(spec->op, spec->request) &&
               streq(record_file_module(latest->record), spec->module);
}

/*
 * An install command may request the very module that it is for (modprobe --ignore-install X), and a remove command
 * its removal: to wait for the command would be to wait for ever. What is loaded by now is there, whatever the command
 * is still doing.
 */
static bool has_to_wait(const Job *earlier, const JobSpec *spec) {
        if (earlier->op == LOADER_INSTALL_COMMAND && job_is_under_way(earlier))
                return !(spec->op == LOADER_INSERT ||
                         (spec->op == LOADER_INSTALL_COMMAND &&
                          module_state_read(spec->kernel_name ?: spec->module) == MODULE_LIVE));
        return !(earlier->op == LOADER_REMOVE_COMMAND && job_is_under_way(earlier) &&
                 spec->op == LOADER_REMOVE);
}

/* The kernel waits for a queued job, and so for those of the same module before it. */
static void let_pass(Job *j) {
        for (; j && j->state == JOB_QUEUED; j = j->earlier)
                j->for_kernel = true;
}

/**
 * scheduler_submit() - queue a job, or join an equal one
 * @done: called once with the record of the job, which may be of another request
 *
 * Return: 0, or -ENOMEM with nothing queued.
 */
int scheduler_submit(Scheduler *s, const JobSpec *spec, job_done_t done, void *userdata) {
        _cleanup_(job_freep) Job *j = NULL;
        Job *latest, *queued;
        int r;

        assert(s && spec && spec->module && spec->request && done);

        /* only the latest job can be joined: it will undo what earlier ones do */
        latest = find_latest(s, spec->module);
        if (!latest && spec->kernel_name)
                latest = find_latest(s, spec->kernel_name);
        if (latest && !has_to_wait(latest, spec))
                latest = NULL;
        if (latest && can_join(latest, spec)) {
                r = job_add_waiter(latest, spec, /* owns= */ false, done, userdata);
                if (r < 0)
                        return r;
                if (latest->state == JOB_QUEUED && spec->request->origin == ORIGIN_KERNEL)
                        let_pass(latest);
                if (latest->state != JOB_RUNNING)
                        (void) sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT);
                s->counters->joins++;
                latest->urgency += spec->rank_usec;
                latest->record->also_requested |= spec->reason == PLAN_REQUESTED &&
                                                  latest->record->reason != PLAN_REQUESTED;
                return 0;
        }

        r = job_new(&j, spec, s->limits.async_probe_modules);
        if (r < 0)
                return r;
        j->scheduler = s;
        j->serial = s->limits.serial_modules && module_list_contains(s->limits.serial_modules, spec->module);
        r = job_add_waiter(j, spec, /* owns= */ true, done, userdata);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(s->start_source, SD_EVENT_ONESHOT);
        if (r < 0)
                return r;

        j->earlier = latest;
        if (spec->request->origin == ORIGIN_KERNEL)
                let_pass(j);
        j->id = ++s->last_id;
        j->urgency = spec->rank_usec;
        counters_note_queue(s->counters, ++s->n_queued);
        queued = STEAL_PTR(j);          /* the macro evaluates its argument more than once */
        TAILQ_INSERT_TAIL(&s->jobs, queued, next);
        return 0;
}

/**
 * scheduler_note_live() - the kernel reports that the init of a module has returned
 *
 * To be called after its uevent if /sys/module/NAME/initstate is "live": before Linux 5.12 the uevent came before
 * the init. After that finit_module(2) cannot fail any more (do_init_module() in kernel/module/main.c). Does
 * nothing unless an insert of the module is under way.
 */
void scheduler_note_live(Scheduler *s, const char *module) {
        Job *j;

        assert(s && module);

        TAILQ_FOREACH(j, &s->jobs, next)
                if (j->state == JOB_RUNNING && job_operation(j->op)->inserts &&
                    streq(j->record->module, module)) {
                        j->record->live_usec = MAX(clock_usec(CLOCK_MONOTONIC) - j->started_usec,
                                                   (uint64_t) 1);
                        enter(j, JOB_LIVE);
                        return;
                }
}

/* Drop waiters with this @userdata, also while outcomes are being reported; the jobs go on. */
void scheduler_forget(Scheduler *s, void *userdata) {
        Job *j;

        assert(s);

        TAILQ_FOREACH(j, &s->jobs, next)
                job_forget(j, userdata);
        if (s->reporting)
                job_forget(s->reporting, userdata);
}

bool scheduler_is_idle(const Scheduler *s) {
        assert(s);

        return TAILQ_EMPTY(&s->jobs);
}

/* Is a job for this module queued? */
bool scheduler_is_queued(const Scheduler *s, const char *module) {
        const Job *j;

        assert(s && module);

        TAILQ_FOREACH(j, &s->jobs, next)
                if (j->state == JOB_QUEUED && record_is_about(j->record, module))
                        return true;
        return false;
}

/* Is there a job for this module, running or queued? */
bool scheduler_has_job(const Scheduler *s, const char *module) {
        assert(s && module);

        return find_latest(s, module) != NULL;
}

size_t scheduler_count_queued(const Scheduler *s) {
        assert(s);

        return s->n_queued;
}

/* Why the loader cannot act, as of now. */
LoaderTrouble scheduler_get_trouble(const Scheduler *s) {
        assert(s);

        return s->trouble;
}

/* How long loading this module will probably take, by its last load. */
uint64_t scheduler_expect_usec(const Scheduler *s, const char *module) {
        assert(s && module);

        return durations_expect(&s->durations, module);
}

/* Note the duration of a load from before this scheduler. */
void scheduler_remember(Scheduler *s, const char *module, uint64_t usec) {
        assert(s && module);

        durations_note(&s->durations, module, usec);
}

/* Note the durations of the loads in the ledger, oldest first, so that the latest load of a module counts. */
void scheduler_learn(Scheduler *s, const Ledger *ledger) {
        assert(s && ledger);

        for (size_t i = ledger_count(ledger); i > 0; i--) {
                const Record *record = ledger_get(ledger, i - 1);

                if (record->outcome == OUTCOME_LOADED && record->duration_usec > 0)
                        scheduler_remember(s, record->module, record->live_usec ?: record->duration_usec);
        }
}

/**
 * scheduler_get_running() - the records of jobs in the loader, with their durations until now
 *
 * Return: 0 or -ENOMEM.
 */
int scheduler_get_running(const Scheduler *s, RecordList *list) {
        Job *j;
        int r;

        assert(s && list);

        TAILQ_FOREACH(j, &s->jobs, next) {
                if (!job_is_under_way(j))
                        continue;
                j->record->duration_usec = clock_usec(CLOCK_MONOTONIC) - j->started_usec;
                r = record_list_add(list, j->record);
                if (r < 0)
                        return r;
        }
        return 0;
}
