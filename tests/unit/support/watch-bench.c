/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "watch-bench.h"

#include "daemon-bench.h"
#include "must.h"

static void on_changed(void *userdata) {
        ((WatchBench *) userdata)->n_changes++;
}

void watch_bench_start(WatchBench *b, const char *dir, const char *suffix) {
        must_ok(sd_event_new(&b->event));
        must_ok(file_watch_new(&b->watch, b->event, on_changed, b));
        must_ok(file_watch_add(b->watch, scratch_path(&b->scratch, dir), "", suffix));
        file_watch_refresh(b->watch);
}

void watch_bench_close(WatchBench *b) {
        file_watch_free(b->watch);
        sd_event_unref(b->event);
        scratch_close(&b->scratch);
}

bool watch_bench_changed(WatchBench *b) {
        unsigned n;

        event_settle(b->event);
        n = b->n_changes;
        if (n > 0)
                file_watch_refresh(b->watch);
        b->n_changes = 0;
        return n > 0;
}
