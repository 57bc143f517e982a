/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/engine/job.h"
#include "daemon/engine/kernel-log.h"
#include "daemon/engine/loader-watch.h"
#include "daemon/history/counters.h"
#include "daemon/history/ledger.h"
#include "daemon/history/record.h"

/*
 * Scheduler: which modules are being loaded or removed, and which are queued. At most one job runs for each module at
 * any moment; a submission that equals a job joins it.
 */
typedef struct Scheduler Scheduler;

typedef enum SchedulerEvent {
        SCHEDULER_STARTED,              /* before it is sent to the loader */
        SCHEDULER_FINISHED,
        SCHEDULER_SLOW,
} SchedulerEvent;
typedef void (*scheduler_observer_t)(SchedulerEvent event, Record *record, void *userdata);

typedef struct SchedulerOptions {
        sd_event *event;
        const char *loader_address;
        const char *command_address;    /* of lkmd-command */
        const char *loader_program;     /* NULL: not checked */
        KernelLog *kernel_log;          /* borrowed */
        Counters *counters; /* borrowed */
        FileFacts *files;               /* borrowed; NULL: what is inside of module files is not looked at */
        scheduler_observer_t observer;
        void (*loader_lost)(void *userdata); /* called after its jobs have failed, if there were any */
        void (*loader_changed)(LoaderTrouble trouble, void *userdata); /* may be NULL */
        void *userdata;
} SchedulerOptions;

int scheduler_new(Scheduler **ret, const SchedulerOptions *options);
Scheduler *scheduler_free(Scheduler *s);
DEFINE_CLEANUP(Scheduler, scheduler_free);

typedef struct SchedulerLimits {
        unsigned loads; /* inserts and removals at once, 1 to LOADS_MAX; without commands and live modules */
        uint64_t slow_usec; /* a job that takes longer is reported; UINT64_MAX: none is */
        uint64_t loader_timeout_usec;   /* within which the loader has to answer; 0 or UINT64_MAX: no limit */
        const char *serial_modules;     /* module_list_contains(); never two of them at once. Borrowed */
        const char *async_probe_modules; /* likewise; get the parameter async_probe */
} SchedulerLimits;

void scheduler_prepare(Scheduler *s);
void scheduler_set_limits(Scheduler *s, const SchedulerLimits *limits);

void scheduler_note_live(Scheduler *s, const char *module);

int scheduler_submit(Scheduler *s, const JobSpec *spec, job_done_t done, void *userdata);
void scheduler_forget(Scheduler *s, void *userdata);

/* For whoever looks for requests that wait for each other; the jobs are borrowed. */
void scheduler_look(Scheduler *s);
const Job *scheduler_next_job(const Scheduler *s, const Job *j);

bool scheduler_is_idle(const Scheduler *s);
bool scheduler_is_queued(const Scheduler *s, const char *module);
bool scheduler_has_job(const Scheduler *s, const char *module);
size_t scheduler_count_queued(const Scheduler *s);
LoaderTrouble scheduler_get_trouble(const Scheduler *s);

uint64_t scheduler_expect_usec(const Scheduler *s, const char *module);
void scheduler_remember(Scheduler *s, const char *module, uint64_t usec);
void scheduler_learn(Scheduler *s, const Ledger *ledger);
int scheduler_get_running(const Scheduler *s, RecordList *list);
