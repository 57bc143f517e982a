/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/requests/foreign-loads.h"

#include <unistd.h>

#include "common/base/paths.h"
#include "daemon-bench.h"
#include "test.h"

#define _bench_ _cleanup_(bench_close)

typedef struct Bench {
        DaemonBench daemon;
        Ledger *ledger;
        Monitors *monitors;
        ForeignLoads *foreign;
        const char *denied;             /* module */
        Requester *loader;              /* of all modules; NULL: not known */
        int loader_error;
        unsigned n_asked;
} Bench;

static bool denies(const char *module, PolicyRuling *ret, void *userdata) {
        Bench *b = userdata;

        b->n_asked++;
        *ret = (PolicyRuling) { .source = POLICY_BY_RULE,
                                .verdict = POLICY_DENY,
                                .file = "/etc/lkmd/policy.d/x.yaml",
                                .line = 3 };
        return streq_ptr(module, b->denied);
}

static int find_loader(const char *module, Requester **ret, void *userdata) {
        Bench *b = userdata;

        if (b->loader_error < 0)
                return b->loader_error;
        if (!b->loader)
                return 0;
        *ret = requester_ref(b->loader);
        return 1;
}

/* @earlier: what the ledger says of an lkmd before this one; NULL: nothing */
static void bench_open_after(Bench *b, const char *earlier, RequestOrigin origin, bool follows_initramfs) {
        *b = (Bench) {};
        daemon_bench_open(&b->daemon);
        daemon_bench_start_loader(&b->daemon);
        scheduler_set_limits(b->daemon.scheduler,
                             &(SchedulerLimits) { .loads = 8, .slow_usec = UINT64_MAX });
        assert_ok(ledger_new(&b->ledger, NULL, 4096));
        assert_ok(monitors_new(&b->monitors));
        if (earlier) {
                _cleanup_(request_unrefp) Request *request = NULL;
                _cleanup_(record_unrefp) Record *record = NULL;

                assert_ok(request_new(&request, origin, earlier));
                assert_ok(record_new(&record, earlier, request));
                record->outcome = OUTCOME_LOADED;
                assert_ok(ledger_begin(b->ledger, record));
        }
        assert_ok(foreign_loads_new(&b->foreign, &(ForeignLoadsOptions) {
                                                         .ledger = b->ledger,
                                                         .scheduler = b->daemon.scheduler,
                                                         .monitors = b->monitors,
                                                         .denies = denies,
                                                         .find_loader = find_loader,
                                                         .userdata = b,
                                                         .follows_initramfs = follows_initramfs,
                                                 }));
}

static void bench_open(Bench *b, const char *earlier, RequestOrigin origin) {
        bench_open_after(b, earlier, origin, false);
}

static void bench_close(Bench *b) {
        foreign_loads_free(b->foreign);
        monitors_free(b->monitors);
        ledger_free(b->ledger);
        requester_unref(b->loader);
        daemon_bench_close(&b->daemon);
}

/* "unloaded lkmdt_a foreign, loaded lkmdt_a foreign": the newest first */
static void assert_story(const Bench *b, const char *expected) {
        char story[1024] = "";

        for (size_t i = 0; i < ledger_count(b->ledger); i++) {
                const Record *r = ledger_get(b->ledger, i);
                size_t n = strlen(story);

                snprintf(story + n, sizeof(story) - n, "%s%s %s %s", i > 0 ? ", " : "",
                         outcome_to_string(r->outcome), r->module,
                         request_origin_to_string(r->request->origin));
        }
        assert_string_equal(story, expected);
}

static void test_comes_and_goes(void **state) {
        _bench_ Bench b;

        bench_open(&b, NULL, 0);
        foreign_loads_found(b.foreign, "lkmdt_a", ORIGIN_FOREIGN);
        assert_story(&b, "loaded lkmdt_a foreign");
        foreign_loads_found(b.foreign, "lkmdt_a", ORIGIN_FOREIGN); /* it is written down already */
        assert_story(&b, "loaded lkmdt_a foreign");
        assert_null(ledger_get(b.ledger, 0)->request->requester);
        assert_true(ledger_was_requested(b.ledger, "lkmdt_a")); /* not lkmd's to remove */
        assert_false(record_is_lkmds(ledger_get(b.ledger, 0)));

        foreign_loads_gone(b.foreign, "lkmdt_a");
        ledger_module_gone(b.ledger, "lkmdt_a");
        assert_story(&b, "unloaded lkmdt_a foreign, loaded lkmdt_a foreign");
        assert_true(ledger_get(b.ledger, 0)->removal);
        foreign_loads_gone(b.foreign, "lkmdt_a"); /* the same event twice */
        assert_story(&b, "unloaded lkmdt_a foreign, loaded lkmdt_a foreign");
        foreign_loads_gone(b.foreign, "lkmdt_never");
        assert_int_equal(ledger_count(b.ledger), 2);
}

static void test_who(void **state) {
        const Requester *who;
        _bench_ Bench b;

        bench_open(&b, NULL, 0);
        assert_ok(requester_new(&b.loader));
        b.loader->has_process = true;
        b.loader->pid = 4711;
        b.loader->command = strdup("insmod");
        foreign_loads_found(b.foreign, "lkmdt_a", ORIGIN_FOREIGN);
        who = ledger_get(b.ledger, 0)->request->requester;
        assert_ptr_equal(who, b.loader);

        b.loader_error = -ENOMEM;       /* logged, and nothing is written that is wrong */
        foreign_loads_found(b.foreign, "lkmdt_b", ORIGIN_FOREIGN);
        assert_int_equal(ledger_count(b.ledger), 1);
}

static void test_denied(void **state) {
        _bench_ Bench b;

        bench_open(&b, NULL, 0);
        b.denied = "lkmdt_a";
        foreign_loads_found(b.foreign, "lkmdt_a", ORIGIN_FOREIGN);
        assert_int_equal(b.n_asked, 1);
        foreign_loads_found(b.foreign, "lkmdt_b", ORIGIN_INITRAMFS); /* such are listed by others */
        assert_int_equal(b.n_asked, 1);
        assert_story(&b, "loaded lkmdt_b initramfs, loaded lkmdt_a foreign");
}

/* While lkmd is at it, whatever the kernel reports is lkmd's own doing. */
static void test_lkmds_own(void **state) {
        _cleanup_(heard_clear) Heard h = {};
        _bench_ Bench b;

        bench_open(&b, NULL, 0);
        fake_loader_hold(b.daemon.loader, true);
        daemon_bench_submit(&b.daemon, LOADER_INSERT, "lkmdt_a", &h);
        event_settle(b.daemon.event);
        foreign_loads_found(b.foreign, "lkmdt_a", ORIGIN_FOREIGN);
        foreign_loads_gone(b.foreign, "lkmdt_a");
        /* nor this, which may be that module by another name; that it is not is known when the job has ended */
        foreign_loads_found(b.foreign, "lkmdt_b", ORIGIN_FOREIGN);
        foreign_loads_job_ended(b.foreign);
        assert_int_equal(ledger_count(b.ledger), 0);
        fake_loader_answer(b.daemon.loader, "lkmdt_a", 0);
        event_settle(b.daemon.event);
        foreign_loads_job_ended(b.foreign); /* and it has gone by then */
        assert_int_equal(ledger_count(b.ledger), 0);
        assert_int_equal(h.times, 1);
        foreign_loads_found(b.foreign, "lkmdt_a", ORIGIN_FOREIGN); /* this bench's scheduler has no ledger */
        assert_int_equal(ledger_count(b.ledger), 1);
}

/* A reply before the uevent: the ledger has lkmd's removal as the last of it. */
static void test_after_lkmds_removal(void **state) {
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *removal = NULL;
        _bench_ Bench b;

        bench_open(&b, "lkmdt_a", ORIGIN_CLIENT);
        assert_ok(request_new(&request, ORIGIN_CLIENT, "lkmdt_a"));
        assert_ok(record_new(&removal, "lkmdt_a", request));
        removal->removal = true;
        removal->outcome = OUTCOME_UNLOADED;
        assert_ok(ledger_begin(b.ledger, removal));
        ledger_module_gone(b.ledger, "lkmdt_a");
        foreign_loads_gone(b.foreign, "lkmdt_a");
        assert_story(&b, "unloaded lkmdt_a client, loaded lkmdt_a client");
}

/* Returns how many records the ledger has of lkmdt_a; all others are of what this machine has loaded. */
static size_t count_of_a(const Bench *b) {
        size_t n = 0;

        for (size_t i = 0; i < ledger_count(b->ledger); i++) {
                const Record *r = ledger_get(b->ledger, i);

                n += streq(r->module, "lkmdt_a");
                assert_true(streq(r->module, "lkmdt_a") || r->outcome == OUTCOME_LOADED);
                assert_int_equal(r->request->origin, r->id == 1 ? ORIGIN_BOOT : ORIGIN_FOREIGN);
        }
        return n;
}

/* With what the kernel of this machine has, and what it has not. */
static void test_compare(void **state) {
        size_t n;
        _bench_ Bench b;

        bench_open(&b, "lkmdt_a", ORIGIN_BOOT);
        foreign_loads_compare(b.foreign);
        n = ledger_count(b.ledger);
        assert_int_equal(count_of_a(&b), 2); /* it was there, and has gone */
        assert_int_equal(ledger_get(b.ledger, n - 2)->outcome, OUTCOME_UNLOADED);
        assert_null(ledger_find_load(b.ledger, "lkmdt_a"));
        foreign_loads_compare(b.foreign); /* nothing has changed */
        assert_int_equal(count_of_a(&b), 2);
}

static void test_before(void **state) {
        _bench_ Bench b;

        bench_open(&b, NULL, 0);
        assert_int_equal(foreign_loads_origin(b.foreign),
                         access(UDEVD_CGROUP_DIR, F_OK) < 0 && access(INITRAMFS_RUN_DIR, F_OK) >= 0
                                 ? ORIGIN_INITRAMFS
                                 : ORIGIN_BOOT);
        foreign_loads_compare(b.foreign);
        assert_int_equal(foreign_loads_origin(b.foreign), ORIGIN_FOREIGN);
}

/* An earlier version of lkmd wrote down only what it did itself. */
static void test_before_with_an_old_ledger(void **state) {
        _bench_ Bench b;

        bench_open(&b, "lkmdt_a", ORIGIN_DEVICE);
        assert_int_not_equal(foreign_loads_origin(b.foreign), ORIGIN_FOREIGN);
}

/* What the lkmd of the initramfs does not know came after it, also if that has found nothing when it was started. */
static void test_before_but_after_the_initramfs(void **state) {
        static const RequestOrigin origins[] = { ORIGIN_INITRAMFS, ORIGIN_DEVICE };

        for (size_t i = 0; i < ARRAY_LEN(origins); i++) {
                _bench_ Bench b;

                bench_open_after(&b, "lkmdt_a", origins[i], true);
                assert_int_equal(foreign_loads_origin(b.foreign), ORIGIN_BOOT);
                foreign_loads_compare(b.foreign);
                assert_int_equal(foreign_loads_origin(b.foreign), ORIGIN_FOREIGN);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_comes_and_goes),
                cmocka_unit_test(test_who),
                cmocka_unit_test(test_denied),
                cmocka_unit_test(test_lkmds_own),
                cmocka_unit_test(test_after_lkmds_removal),
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_before),
                cmocka_unit_test(test_before_with_an_old_ledger),
                cmocka_unit_test(test_before_but_after_the_initramfs),
        };

        return RUN_TESTS(tests);
}
