/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/engine/job-operation.h"
#include "daemon/engine/job-spec.h"
#include "daemon/engine/loader-packet.h"

/*
 * Job: a module on its way, with all waiters. The scheduler decides when it runs, and maintains the fields that say
 * how far it is.
 */
typedef struct Job Job;

typedef enum JobState {                 /* allowed moves: job_next[] in job.c */
        JOB_QUEUED,                     /* waits for a slot, or for an earlier job of the same module */
        JOB_RUNNING,                    /* in the loader, or in lkmd-command */
        JOB_LIVE,                       /* likewise, but its module can be used: scheduler_note_live() */
        JOB_FINISHED,                   /* its record has the outcome */
        _JOB_STATE_MAX,
} JobState;

typedef struct JobWaiter {
        JobSpec spec;                   /* borrowed; read only if it has @may */
        bool owns;                      /* the job's record is of this waiter's request */
        job_live_t live;                /* NULL: called already, or not needed */
        job_done_t done;
        void *userdata;
        STAILQ_ENTRY(JobWaiter) next;
} JobWaiter;

struct Job {
        struct Scheduler *scheduler;    /* for the scheduler; not used here */
        uint64_t id;                    /* in the loader protocol */
        JobState state;
        LoaderOp op;
        unsigned flags;
        char *path;
        LoaderWords *words;             /* NULL: none */
        bool too_long;                  /* the words do not fit into a request */
        bool by_command;                /* lkmd-command has it, not the loader */
        uint64_t connection;            /* to the loader, that it was sent by */
        Record *record;
        uint64_t urgency;               /* sum of the ranks of all its waiters */
        bool serial;                    /* never runs beside another serial job */
        bool for_kernel;                /* somebody's system call waits for it, maybe an init: it needs no slot */
        bool tells_slow;                /* the answer to LOADER_LOOK is to be reported */
        bool asks_kernel;               /* LOADER_LOOK: its init waits for a program that the kernel has started */
        uint64_t looked_usec;           /* CLOCK_MONOTONIC, of the last answer to LOADER_LOOK; 0: none */
        Job *earlier;                   /* of the same module, has to finish first; NULL: none */
        uint64_t started_usec;          /* CLOCK_MONOTONIC */
        sd_event_source *slow_source;
        STAILQ_HEAD(, JobWaiter) waiters;
        TAILQ_ENTRY(Job) next;
};

int job_new(Job **ret, const JobSpec *spec, const char *async_probe_modules);
Job *job_free(Job *j);
DEFINE_CLEANUP(Job, job_free);

bool job_may_enter(const Job *j, JobState to);
bool job_is_under_way(const Job *j);
void job_make_order(const Job *j, LoaderOrder *ret);

int job_add_waiter(Job *j, const JobSpec *spec, bool owns, job_done_t done, void *userdata);
int job_ask_waiters(Job *j, const char *async_probe_modules);
void job_report(Job *j);
void job_forget(Job *j, void *userdata);
