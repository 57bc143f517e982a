/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/engine/loader-watch.h"

#include <sys/stat.h>

#include "scratch.h"
#include "test.h"

#define TIMEOUT_USEC 1000U              /* short: what is tested is that it ends */

typedef struct Bench {
        sd_event *event;
        LoaderWatch *watch;
        unsigned n_asked, n_connects, n_changes;
        LoaderTrouble trouble;          /* as last reported */
} Bench;

static int on_ask(void *userdata) {
        Bench *b = userdata;

        b->n_asked++;
        return 0;
}

static void on_connect(void *userdata) {
        Bench *b = userdata;

        b->n_connects++;
}

static void on_changed(LoaderTrouble trouble, void *userdata) {
        Bench *b = userdata;

        b->n_changes++;
        b->trouble = trouble;
}

static void bench_open(Bench *b, const char *program) {
        *b = (Bench) {};
        assert_ok(sd_event_new(&b->event));
        assert_ok(loader_watch_new(&b->watch, &(LoaderWatchOptions) {
                                                      .event = b->event,
                                                      .program = program,
                                                      .ask = on_ask,
                                                      .connect = on_connect,
                                                      .changed = on_changed,
                                                      .userdata = b,
                                              }));
        loader_watch_set_timeout(b->watch, TIMEOUT_USEC);
}

static void bench_close(Bench *b) {
        b->watch = loader_watch_free(b->watch);
        b->event = sd_event_unref(b->event);
}

static void run_until(Bench *b, const unsigned *counter, unsigned n) {
        while (*counter < n)
                assert_true(sd_event_run(b->event, 10 * 1000 * 1000) > 0);
}

static void assert_in(const Bench *b, LoaderTrouble trouble) {
        assert_int_equal(loader_watch_get_trouble(b->watch), trouble);
        assert_int_equal(b->trouble, trouble);
}

static void test_silence_and_its_end(void **state) {
        Bench b;

        bench_open(&b, NULL);
        loader_watch_connected(b.watch);
        assert_int_equal(b.n_asked, 1);
        loader_watch_sent(b.watch);     /* it owes an answer already */
        assert_int_equal(b.n_asked, 1);
        loader_watch_done(b.watch);     /* by one of its threads */
        run_until(&b, &b.n_changes, 1);
        assert_in(&b, LOADER_IS_SILENT);
        assert_int_equal(b.n_connects, 0); /* what was asked waits in the connection */
        loader_watch_answered(b.watch);
        assert_in(&b, LOADER_IS_WELL);
        assert_int_equal(b.n_changes, 2);
        bench_close(&b);
}

static void test_asked_while_it_has_something_to_do(void **state) {
        Bench b;

        bench_open(&b, NULL);
        loader_watch_connected(b.watch);
        loader_watch_answered(b.watch);
        assert_int_equal(b.n_asked, 1);
        loader_watch_sent(b.watch);
        loader_watch_sent(b.watch);
        assert_int_equal(b.n_asked, 2);
        for (unsigned n = 2; n < 5; n++) {
                loader_watch_answered(b.watch);
                run_until(&b, &b.n_asked, n + 1);
        }
        loader_watch_done(b.watch);
        loader_watch_done(b.watch);
        loader_watch_answered(b.watch);
        assert_int_equal(sd_event_run(b.event, 5 * TIMEOUT_USEC), 0); /* it is left in peace */
        assert_int_equal(b.n_asked, 5);
        assert_int_equal(b.n_changes, 0);
        bench_close(&b);
}

static void test_nobody_listens(void **state) {
        Bench b;

        bench_open(&b, NULL);
        for (unsigned n = 1; n < 4; n++) {
                loader_watch_refused(b.watch);
                assert_in(&b, LOADER_HAS_NO_SOCKET);
                run_until(&b, &b.n_connects, n);
        }
        assert_int_equal(b.n_changes, 3); /* each time: somebody may have to be reminded */
        loader_watch_connected(b.watch);
        assert_in(&b, LOADER_HAS_NO_SOCKET); /* systemd has taken the connection, no more is known */
        loader_watch_answered(b.watch);
        assert_in(&b, LOADER_IS_WELL);
        bench_close(&b);
}

static void test_hangs_up(void **state) {
        Bench b;

        bench_open(&b, NULL);
        loader_watch_connected(b.watch);
        loader_watch_answered(b.watch);
        loader_watch_lost(b.watch,
                          /* other_version= */ false);     /* it was killed: it is expected back at once */
        assert_int_equal(b.n_changes, 0);
        run_until(&b, &b.n_connects, 1);
        loader_watch_connected(b.watch);
        loader_watch_lost(b.watch, /* other_version= */ false);
        assert_in(&b, LOADER_HANGS_UP);
        run_until(&b, &b.n_connects, 2);
        bench_close(&b);
}

/* An old loader that has nothing to do makes room for the new one; one that still works is reported. */
static void test_another_version(void **state) {
        Bench b;

        bench_open(&b, NULL);
        loader_watch_connected(b.watch);
        loader_watch_lost(b.watch, /* other_version= */ true);
        assert_int_equal(b.n_changes, 0);
        run_until(&b, &b.n_connects, 1);
        loader_watch_connected(b.watch);
        loader_watch_lost(b.watch, /* other_version= */ true);
        assert_in(&b, LOADER_IS_OF_ANOTHER_VERSION);
        run_until(&b, &b.n_connects, 2);
        loader_watch_connected(b.watch);
        loader_watch_answered(b.watch);
        assert_in(&b, LOADER_IS_WELL);
        bench_close(&b);
}

static void test_never(void **state) {
        Bench b;

        bench_open(&b, NULL);
        loader_watch_set_timeout(b.watch, UINT64_MAX);
        loader_watch_connected(b.watch);
        loader_watch_sent(b.watch);
        loader_watch_lost(b.watch, /* other_version= */ false);
        loader_watch_refused(b.watch);
        assert_int_equal(sd_event_run(b.event, 10 * TIMEOUT_USEC), 0);
        assert_int_equal(b.n_asked, 0);
        assert_in(&b, LOADER_IS_WELL);
        loader_watch_connected(b.watch);
        loader_watch_set_timeout(b.watch, TIMEOUT_USEC); /* lkmd.conf was read anew */
        assert_int_equal(b.n_asked, 1);
        run_until(&b, &b.n_changes, 1);
        assert_in(&b, LOADER_IS_SILENT);
        bench_close(&b);
}

/* A visible reason is reported at once, and an answer ends the trouble all the same. */
static void test_program(void **state) {
        _cleanup_(scratch_close) Scratch s;
        Bench b;

        scratch_open(&s);
        scratch_write(&s, "loader", "");
        assert_int_equal(chmod(scratch_path(&s, "loader"), 0644), 0);
        bench_open(&b, scratch_path(&s, "loader"));
        loader_watch_connected(b.watch);
        assert_in(&b, LOADER_IS_NOT_EXECUTABLE);
        loader_watch_answered(b.watch);
        assert_in(&b, LOADER_IS_WELL);
        assert_int_equal(chmod(scratch_path(&s, "loader"), 0700), 0); /* root's x is enough */
        loader_watch_connected(b.watch);
        assert_in(&b, LOADER_IS_WELL);
        scratch_remove(&s, "loader");
        loader_watch_lost(b.watch, /* other_version= */ false);
        assert_in(&b, LOADER_IS_GONE);
        bench_close(&b);
}

static void test_texts(void **state) {
        for (LoaderTrouble t = 0; t < _LOADER_TROUBLE_MAX; t++) {
                assert_true(strlen(loader_trouble_text(t)) > 0);
                assert_true(strlen(loader_trouble_remedy(t)) > 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_silence_and_its_end),
                cmocka_unit_test(test_asked_while_it_has_something_to_do),
                cmocka_unit_test(test_nobody_listens),
                cmocka_unit_test(test_hangs_up),
                cmocka_unit_test(test_another_version),
                cmocka_unit_test(test_never),
                cmocka_unit_test(test_program),
                cmocka_unit_test(test_texts),
        };

        return RUN_TESTS(tests);
}
