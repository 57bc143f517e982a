/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/devices/intake.h"

#include "common/base/limits.h"
#include "daemon-bench.h"
#include "test.h"

#define NOISY 4U                        /* announcements that are let pass */

typedef struct Bench {
        sd_event *event;
        Intake *intake;
        Counters counters;
        char seen[8192];                /* "/devices/a usb:x, /devices/b usb:y" */
        size_t n_seen;
        unsigned n_noisy;
        uint64_t hold_usec;             /* of the last complaint */
} Bench;

static void on_seen(const DeviceFacts *facts, const char *device, void *userdata) {
        Bench *b = userdata;
        size_t n = strlen(b->seen);

        assert_string_equal(facts->action, "add");
        b->n_seen++;
        snprintf(b->seen + n, sizeof(b->seen) - n, "%s%s %s", n > 0 ? ", " : "", device, facts->modalias ?: "-");
}

static void on_noisy(const char *device, unsigned n_events, uint64_t hold_usec, void *userdata) {
        Bench *b = userdata;

        assert_int_equal(n_events, NOISY + 1);
        b->n_noisy++;
        b->hold_usec = hold_usec;
}

static void bench_open(Bench *b, uint64_t hold_usec) {
        *b = (Bench) {};
        assert_ok(sd_event_new(&b->event));
        assert_ok(intake_new(&b->intake, &(IntakeOptions) {
                                                 .event = b->event,
                                                 .counters = &b->counters,
                                                 .seen = on_seen,
                                                 .noisy = on_noisy,
                                                 .userdata = b,
                                                 .window_usec = UINT64_MAX / 2,
                                                 .noisy_events = NOISY,
                                                 .hold_usec = hold_usec,
                                                 .hold_max_usec = hold_usec * 4,
                                         }));
        event_settle(b->event);
}

static void bench_close(Bench *b) {
        intake_free(b->intake);
        sd_event_unref(b->event);
}

#define _bench_ _cleanup_(bench_close)
#define HOUR_USEC (3600ULL * 1000 * 1000)

static void announce(Bench *b, const char *action, const char *device, const char *modalias) {
        assert_ok(intake_put(b->intake,
                             &(DeviceFacts) { .action = action, .subsystem = "usb", .sysname = "x", .modalias = modalias },
                             device));
}

/* Turns the loop until @n announcements were passed on; that is what a timer is waited for. */
static void wait_for(Bench *b, size_t n) {
        while (b->n_seen < n)
                assert_ok(sd_event_run(b->event, UINT64_MAX));
        event_settle(b->event);
}

static void test_passes_on_from_the_loop(void **state) {
        char device[] = "/devices/a", modalias[] = "usb:one";
        _bench_ Bench b;

        bench_open(&b, HOUR_USEC);
        assert_true(intake_is_idle(b.intake));
        announce(&b, "add", device, modalias);
        announce(&b, "add", "/devices/b", "usb:two");
        memset(device, '?', sizeof(device) - 1); /* copied */
        memset(modalias, '?', sizeof(modalias) - 1);
        assert_string_equal(b.seen, "");
        assert_false(intake_is_idle(b.intake));

        event_settle(b.event);
        assert_string_equal(b.seen, "/devices/a usb:one, /devices/b usb:two");
        assert_true(intake_is_idle(b.intake));
        assert_int_equal(b.counters.coalesced, 0);
        assert_int_equal(b.counters.phases[PHASE_EVENT].count, 2);
}

static void test_what_asks_for_nothing_is_dropped(void **state) {
        _bench_ Bench b;

        bench_open(&b, HOUR_USEC);
        announce(&b, "add", "/devices/a", NULL);
        announce(&b, "add", "/devices/a", "");
        announce(&b, "change", "/devices/a", "usb:one");
        announce(&b, "bind", "/devices/a", "usb:one");
        announce(&b, "remove", "/devices/a", "usb:one");
        assert_ok(intake_put(b.intake, &(DeviceFacts) {}, "/devices/a"));
        event_settle(b.event);
        assert_int_equal(b.n_seen, 0);
}

static void test_repeats_become_one(void **state) {
        _bench_ Bench b;

        bench_open(&b, HOUR_USEC);
        for (unsigned i = 0; i < 3; i++) {
                announce(&b, "add", "/devices/a", "usb:one");
                announce(&b, "add", "/devices/b", "usb:one");
                announce(&b, "change", "/devices/a", "usb:one");
        }
        event_settle(b.event);
        assert_string_equal(b.seen, "/devices/a usb:one, /devices/b usb:one");
        assert_int_equal(b.counters.coalesced, 4);
        assert_int_equal(b.counters.backed_off, 0);
}

/* Another device in the same place is not held back, however noisy the first was. */
static void test_something_else_is_never_a_repeat(void **state) {
        _bench_ Bench b;

        bench_open(&b, HOUR_USEC);
        for (unsigned i = 0; i <= NOISY; i++) {
                announce(&b, "add", "/devices/a", "usb:one");
                event_settle(b.event);
        }
        assert_int_equal(b.n_seen, NOISY);
        assert_int_equal(b.n_noisy, 1);

        announce(&b, "add", "/devices/a", "usb:two");
        assert_ok(intake_put(b.intake, &(DeviceFacts) { .action = "add", .subsystem = "memstick" }, "/devices/a"));
        announce(&b, "add", "/devices/b", "usb:one");
        event_settle(b.event);
        assert_int_equal(b.n_seen, NOISY + 3);
}

static void test_gone_before_it_was_looked_at(void **state) {
        _bench_ Bench b;

        bench_open(&b, HOUR_USEC);
        announce(&b, "add", "/devices/a", "usb:one");
        announce(&b, "add", "/devices/ab", "usb:one");
        announce(&b, "remove", "/devices/a", NULL);
        event_settle(b.event);
        assert_string_equal(b.seen, "/devices/ab usb:one");

        announce(&b, "add", "/devices/a", "usb:one");
        announce(&b, "remove", "/devices/a", NULL);
        announce(&b, "add", "/devices/a", "usb:one");
        event_settle(b.event);
        assert_string_equal(b.seen, "/devices/ab usb:one, /devices/a usb:one");
}

/* It waits, others do not, and what it said last is looked at when its time is over: never lost. */
static void test_noisy_device_is_held_back(void **state) {
        _bench_ Bench b;

        bench_open(&b, 20 * 1000);
        for (unsigned i = 0; i < NOISY + 10; i++) {
                announce(&b, "add", "/devices/a", "usb:one");
                announce(&b, "remove", "/devices/a", "usb:one");
                announce(&b, "add", "/devices/a", "usb:one");
                if (i < NOISY)
                        event_settle(b.event);
        }
        assert_true(b.n_seen <= NOISY);
        assert_int_equal(b.n_noisy, 1);
        assert_int_equal(b.hold_usec, 20 * 1000);
        assert_true(intake_is_idle(b.intake)); /* nobody should wait for such a device */
        assert_true(b.counters.backed_off > 0);

        announce(&b, "add", "/devices/b", "usb:two");
        b.n_seen = 0;
        b.seen[0] = '\0';
        wait_for(&b, 2);
        assert_string_equal(b.seen, "/devices/b usb:two, /devices/a usb:one");
}

static void test_held_device_that_leaves(void **state) {
        _bench_ Bench b;

        bench_open(&b, 10 * 1000);
        for (unsigned i = 0; i <= NOISY; i++) {
                announce(&b, "add", "/devices/a", "usb:one");
                event_settle(b.event);
        }
        assert_int_equal(b.n_noisy, 1);
        announce(&b, "remove", "/devices/a", NULL);

        for (unsigned i = 0; i <= NOISY; i++) {         /* its timer would come before that of this one */
                announce(&b, "add", "/devices/b", "usb:one");
                event_settle(b.event);
        }
        b.n_seen = 0;
        b.seen[0] = '\0';
        wait_for(&b, 1);
        assert_string_equal(b.seen, "/devices/b usb:one");
}

/* One that behaves again is let pass at once again, and complained of anew if it starts over. */
static void test_forgiven(void **state) {
        _bench_ Bench b;

        bench_open(&b, 5 * 1000);
        for (unsigned i = 0; i <= NOISY; i++) {
                announce(&b, "add", "/devices/a", "usb:one");
                event_settle(b.event);
        }
        wait_for(&b, NOISY + 1);                        /* held, and silent meanwhile */

        announce(&b, "add", "/devices/a", "usb:one");
        event_settle(b.event);
        assert_int_equal(b.n_seen, NOISY + 2);
        assert_int_equal(b.n_noisy, 1);
        for (unsigned i = 0; i <= NOISY; i++) {
                announce(&b, "add", "/devices/a", "usb:one");
                event_settle(b.event);
        }
        assert_int_equal(b.n_noisy, 2);
}

/* Bounded, and what makes room was looked at. */
static void test_more_devices_than_there_is_room_for(void **state) {
        char device[64];
        _bench_ Bench b;

        bench_open(&b, HOUR_USEC);
        for (unsigned i = 0; i <= NOISY; i++) {
                announce(&b, "add", "/devices/held", "usb:held");
                event_settle(b.event);
        }
        assert_int_equal(b.n_seen, NOISY);
        for (unsigned i = 0; i < 3 * INTAKE_DEVICES_MAX; i++) {
                snprintf(device, sizeof(device), "/devices/%u", i);
                announce(&b, "add", device, "usb:x");
                if (i % 100 == 0)
                        event_settle(b.event);
                b.seen[0] = '\0';
        }
        event_settle(b.event);
        assert_int_equal(b.n_seen, NOISY + 1 + 3 * INTAKE_DEVICES_MAX);
}

static void test_freed_with_everything_under_way(void **state) {
        _bench_ Bench b;

        bench_open(&b, HOUR_USEC);
        for (unsigned i = 0; i <= NOISY; i++) {
                announce(&b, "add", "/devices/held", "usb:held");
                event_settle(b.event);
        }
        announce(&b, "add", "/devices/ready", "usb:ready");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_passes_on_from_the_loop),
                cmocka_unit_test(test_what_asks_for_nothing_is_dropped),
                cmocka_unit_test(test_repeats_become_one),
                cmocka_unit_test(test_something_else_is_never_a_repeat),
                cmocka_unit_test(test_gone_before_it_was_looked_at),
                cmocka_unit_test(test_noisy_device_is_held_back),
                cmocka_unit_test(test_held_device_that_leaves),
                cmocka_unit_test(test_forgiven),
                cmocka_unit_test(test_more_devices_than_there_is_room_for),
                cmocka_unit_test(test_freed_with_everything_under_way),
        };

        return RUN_TESTS(tests);
}
