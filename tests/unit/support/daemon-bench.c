/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon-bench.h"

#include "must.h"
#include "test.h"

static void on_scheduler_event(SchedulerEvent event, Record *record, void *userdata) {
        static const char *const words[] = {
                [SCHEDULER_STARTED] = "start",
                [SCHEDULER_FINISHED] = "end",
                [SCHEDULER_SLOW] = "slow",
        };
        DaemonBench *b = userdata;
        size_t n = strlen(b->story);

        snprintf(b->story + n, sizeof(b->story) - n, "%s%s %s%s%s", n > 0 ? ", " : "", words[event],
                 record->module, event == SCHEDULER_FINISHED ? " " : "",
                 event == SCHEDULER_FINISHED ? outcome_to_string(record->outcome) : "");
}

static void on_loader_lost(void *userdata) {
        ((DaemonBench *) userdata)->n_losses++;
}

void daemon_bench_open(DaemonBench *b) {
        *b = (DaemonBench) {};
        scratch_open(&b->scratch);
        must_ok(sd_event_new(&b->event));
        must_ok(kernel_log_new(&b->kernel_log, -EBADF));
        must_ok(request_new_client(&b->request, "asked", 0, getpid(), NULL));
        must_ok(scheduler_new(&b->scheduler, &(SchedulerOptions) {
                                                     .event = b->event,
                                                     .loader_address = scratch_path(&b->scratch, "loader"),
                                                     .command_address = scratch_path(&b->scratch, "command"),
                                                     .kernel_log = b->kernel_log,
                                                     .counters = &b->counters,
                                                     .observer = on_scheduler_event,
                                                     .loader_lost = on_loader_lost,
                                                     .userdata = b,
                                             }));
}

void daemon_bench_start_loader(DaemonBench *b) {
        b->loader = fake_loader_new(b->event, scratch_path(&b->scratch, "loader"),
                                    scratch_path(&b->scratch, "command"));
}

void daemon_bench_close(DaemonBench *b) {
        scheduler_free(b->scheduler);
        fake_loader_free(b->loader);
        kernel_log_free(b->kernel_log);
        request_unref(b->request);
        sd_event_unref(b->event);
        scratch_close(&b->scratch);
}

void event_settle(sd_event *event) {
        int r;

        do
                r = sd_event_run(event, 0);
        while (r > 0);
        must_ok(r);
}

void heard(Record *record, void *userdata) {
        Heard *h = userdata;

        record_unref(h->record);
        h->record = record_ref(record);
        h->times++;
}

void heard_live(void *userdata) {
        Heard *h = userdata;

        assert_int_equal(h->times, 0);  /* before the outcome */
        h->times_live++;
}

void heard_clear(Heard *h) {
        h->record = record_unref(h->record);
}

void daemon_bench_submit(DaemonBench *b, LoaderOp op, const char *module, Heard *h) {
        assert_ok(scheduler_submit(b->scheduler,
                                   &(JobSpec) {
                                           .op = op,
                                           .module = module,
                                           .path = op == LOADER_INSERT ? "/lib/modules/x.ko" : NULL,
                                           .request = b->request,
                                           .live = heard_live,
                                   },
                                   heard, h));
}
