/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/base/file-watch.h"
#include "scratch.h"

/* A watch on the files of one directory, as the index keeper has it: after a change it refreshes and reads. */
typedef struct WatchBench {
        Scratch scratch;
        sd_event *event;
        FileWatch *watch;
        unsigned n_changes;
} WatchBench;

/* @b: its scratch is open, all else is zero. @dir: below the scratch directory, there or not */
void watch_bench_start(WatchBench *b, const char *dir, const char *suffix);
void watch_bench_close(WatchBench *b);

/* Was a change reported since the last time? Then the files are read, which begins with a refresh. */
bool watch_bench_changed(WatchBench *b);
