/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/engine/job-spec.h"
#include "daemon/engine/kernel-log.h"
#include "daemon/engine/loader-watch.h"
#include "daemon/history/counters.h"
#include "daemon/history/ledger.h"
#include "daemon/history/record.h"

/*
 * Scheduler: which module is being loaded or removed now, and which waits for its turn. At most one job a
 * module at any moment; whoever asks for what a job does already joins it.
 */
typedef struct Scheduler Scheduler;

typedef enum SchedulerEvent {
        SCHEDULER_STARTED,              /* before the loader hears of it */
        SCHEDULER_FINISHED,
        SCHEDULER_SLOW,
} SchedulerEvent;
typedef void (*scheduler_observer_t)(SchedulerEvent event, Record *record, void *userdata);

typedef struct SchedulerOptions {
        sd_event *event;
        const char *loader_address;
        const char *loader_program;     /* NULL: not looked at */
        KernelLog *kernel_log;          /* borrowed */
        Counters *counters; /* borrowed */
        scheduler_observer_t observer;
        void (*loader_lost)(void *userdata); /* with jobs under way, which have failed now */
        void (*loader_changed)(LoaderTrouble trouble, void *userdata); /* NULL: nobody wants to know */
        void *userdata;
        uint64_t loader_idle_usec; /* without a job, and the loader may go; 0: LOADER_IDLE_USEC */
} SchedulerOptions;

int scheduler_new(Scheduler **ret, const SchedulerOptions *options);
Scheduler *scheduler_free(Scheduler *s);
DEFINE_CLEANUP(Scheduler, scheduler_free);

typedef struct SchedulerLimits {
        unsigned loads; /* inserts and removals at once, 1 to LOADS_MAX; commands do not count, nor what is live */
        uint64_t slow_usec; /* a job that takes longer is told of; UINT64_MAX: none is */
        uint64_t loader_timeout_usec;   /* the loader's silence is trouble after this; 0 or UINT64_MAX: never */
        const char *serial_modules; /* names_match(); never two of them at once. Borrowed, as the next one */
        const char *async_probe_modules; /* names_match(); get the parameter async_probe */
} SchedulerLimits;

void scheduler_prepare(Scheduler *s);
void scheduler_set_limits(Scheduler *s, const SchedulerLimits *limits);

void scheduler_note_live(Scheduler *s, const char *module);

int scheduler_submit(Scheduler *s, const JobSpec *spec, job_done_t done, void *userdata);
void scheduler_forget(Scheduler *s, void *userdata);

bool scheduler_is_idle(const Scheduler *s);
bool scheduler_is_queued(const Scheduler *s, const char *module);
bool scheduler_has_job(const Scheduler *s, const char *module);
size_t scheduler_count_queued(const Scheduler *s);
LoaderTrouble scheduler_get_trouble(const Scheduler *s);

uint64_t scheduler_expect_usec(const Scheduler *s, const char *module);
void scheduler_remember(Scheduler *s, const char *module, uint64_t usec);
void scheduler_learn(Scheduler *s, const Ledger *ledger);
int scheduler_get_running(const Scheduler *s, RecordList *list);
