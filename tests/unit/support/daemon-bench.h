/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/engine/scheduler.h"
#include "fake-loader.h"
#include "scratch.h"

/*
 * A scheduler with a loop of its own and a loader that only pretends. Its modules do not exist in any
 * kernel.
 */
typedef struct DaemonBench {
        Scratch scratch;
        sd_event *event;
        KernelLog *kernel_log;
        Counters counters;
        FakeLoader *loader;             /* NULL before daemon_bench_start_loader() */
        Scheduler *scheduler;
        Request *request;               /* of a client */
        unsigned n_losses;              /* of the loader, with jobs under way */
        char story[4096];               /* what the scheduler's observer heard: "start a, end a loaded" */
} DaemonBench;

/* What somebody who waits for a job heard. */
typedef struct Heard {
        Record *record;
        unsigned times, times_live;
} Heard;

void daemon_bench_open(DaemonBench *b);
void daemon_bench_start_loader(DaemonBench *b);
void daemon_bench_close(DaemonBench *b);

/* @h hears of it. */
void daemon_bench_submit(DaemonBench *b, LoaderOp op, const char *module, Heard *h);

/* Turns the loop until nothing is ready any more; timers are not waited for. */
void event_settle(sd_event *event);

void heard(Record *record, void *userdata);
void heard_live(void *userdata);
void heard_clear(Heard *h);
