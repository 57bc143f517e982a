/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/devices/udev-wait.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "scratch.h"
#include "test.h"

#define NEVER (3600ULL * 1000U * 1000U)
#define SOON 2000U                      /* microseconds */

typedef struct Bench {
        Scratch s;                      /* in the place of /run/udev */
        sd_event *event;
        struct udev *udev;
        UdevWait *wait;
        const char *subsystem;          /* whose devices have to wait */
        char looked[4096];              /* "DEVICE:MODALIAS " for each */
} Bench;

static bool must(const char *subsystem, void *userdata) {
        const Bench *b = userdata;

        return b->subsystem && streq_ptr(subsystem, b->subsystem);
}

static void on_look(const DeviceFacts *facts, const char *device, void *userdata) {
        Bench *b = userdata;
        size_t n = strlen(b->looked);

        assert_string_equal(facts->action, "add");
        (void) snprintf(b->looked + n, sizeof(b->looked) - n, "%s:%s ", device, facts->modalias ?: "");
}

/* As in UdevWaitOptions. */
static void bench_open_listening(Bench *b, uint64_t silence_usec, uint64_t idle_usec, uint64_t listen_usec) {
        *b = (Bench) { .udev = udev_new(), .subsystem = "pci" };
        scratch_open(&b->s);
        assert_non_null(b->udev);
        assert_ok(sd_event_new(&b->event));
        assert_ok(udev_wait_new(&b->wait, &(UdevWaitOptions) {
                                                  .event = b->event,
                                                  .udev = b->udev,
                                                  .must = must,
                                                  .look = on_look,
                                                  .userdata = b,
                                                  .udev_run_dir = b->s.dir,
                                                  .silence_usec = silence_usec,
                                                  .wait_usec = NEVER,
                                                  .idle_usec = idle_usec,
                                                  .listen_usec = listen_usec,
                                                  .tick_usec = SOON / 4,
                                          }));
}

/* lkmd has listened to udev for long. */
static void bench_open(Bench *b, uint64_t silence_usec, uint64_t idle_usec) {
        bench_open_listening(b, silence_usec, idle_usec, 1);
        (void) usleep(1);
}

static void bench_close(Bench *b) {
        udev_wait_free(b->wait);
        udev_unref(b->udev);
        sd_event_unref(b->event);
        scratch_close(&b->s);
}

static const DeviceFacts card = { .action = "add", .subsystem = "pci", .sysname = "x", .modalias = "pci:x" };
static const DeviceFacts stick = {
        .action = "add", .subsystem = "usb", .sysname = "x", .modalias = "usb:x"
};
static const DeviceFacts bridge = { .action = "add", .subsystem = "pci", .sysname = "y" };

static DeviceFacts with_action(DeviceFacts facts, const char *action) {
        facts.action = action;
        return facts;
}

/* What the clock of a file says: @seconds after some moment. */
static void write_at(const Bench *b, const char *name, long seconds) {
        const struct timespec times[2] = { { .tv_sec = 1000000 + seconds },
                                           { .tv_sec = 1000000 + seconds } };

        scratch_write(&b->s, name, "");
        assert_int_equal(utimensat(AT_FDCWD, scratch_path(&b->s, name), times, 0), 0);
}

static void data_is_from(const Bench *b, long seconds) {
        const struct timespec times[2] = { { .tv_sec = 1000000 + seconds },
                                           { .tv_sec = 1000000 + seconds } };

        assert_int_equal(utimensat(AT_FDCWD, scratch_path(&b->s, "data"), times, 0), 0);
}

/* Runs the loop for a while, in which something happens or not. */
static void pass_time(Bench *b) {
        for (unsigned i = 0; i < 8; i++)
                assert_ok(sd_event_run(b->event, SOON));
}

static void await_look(Bench *b) {
        while (b->looked[0] == '\0')
                assert_ok(sd_event_run(b->event, UINT64_MAX));
}

static void test_who_waits(void **state) {
        DeviceFacts removed = with_action(card, "remove"), bound = with_action(card, "bind");
        Bench b;

        bench_open(&b, NEVER, NEVER);
        assert_int_equal(udev_wait_event(b.wait, &stick, "/devices/usb"), 0);
        assert_int_equal(udev_wait_event(b.wait, &bridge, "/devices/bridge"),
                         0); /* there is nothing to look up */
        assert_int_equal(udev_wait_event(b.wait, &bound, "/devices/card"), 0);
        assert_int_equal(udev_wait_count(b.wait), 0);
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/card"), 1);
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/card"),
                         1); /* once more, and one device all the same */
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/other"), 1);
        assert_int_equal(udev_wait_count(b.wait), 2);
        assert_int_equal(udev_wait_event(b.wait, &removed, "/devices/card"), 0);
        assert_int_equal(udev_wait_count(b.wait), 1);
        pass_time(&b);
        assert_string_equal(b.looked, "");
        bench_close(&b);
}

/* udev's event "add" is what counts, and the walk knows the device from then on, until it is removed. */
static void test_answer(void **state) {
        DeviceFacts removed = with_action(card, "remove"), changed = with_action(card, "change");
        Bench b;

        bench_open(&b, NEVER, NEVER);
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/card"), 1);
        udev_wait_answer(b.wait, &changed, "/devices/card");
        assert_int_equal(udev_wait_count(b.wait), 1);
        assert_int_equal(udev_wait_found(b.wait, &card, "/devices/card"), 1);
        udev_wait_answer(b.wait, &card, "/devices/card");
        assert_int_equal(udev_wait_count(b.wait), 0);
        assert_int_equal(udev_wait_found(b.wait, &card, "/devices/card"), 0);
        assert_int_equal(udev_wait_event(b.wait, &removed, "/devices/card"), 0);
        assert_int_equal(udev_wait_found(b.wait, &card, "/devices/card"), 1);
        udev_wait_answer(b.wait, &card, "/devices/card");
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/card"), 1); /* plugged in again */
        udev_wait_answer(b.wait, &card, "/devices/never-seen");
        assert_int_equal(udev_wait_found(b.wait, &card, "/devices/never-seen"), 0);
        bench_close(&b);
}

/* The kernel's properties count when udevd says nothing. */
static void test_silence(void **state) {
        Bench b;

        bench_open(&b, SOON, NEVER);
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/card"), 1);
        assert_int_equal(udev_wait_found(b.wait, &card, "/devices/found"), 1);
        await_look(&b);
        pass_time(&b);
        assert_string_equal(b.looked, "/devices/card:pci:x /devices/found:pci:x ");
        assert_int_equal(udev_wait_count(b.wait), 0);
        assert_int_equal(udev_wait_found(b.wait, &card, "/devices/card"), 0);
        bench_close(&b);
}

static void test_rules_go(void **state) {
        Bench b;

        bench_open(&b, NEVER, NEVER);
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/card"), 1);
        udev_wait_rules_changed(b.wait);
        assert_string_equal(b.looked, "");
        b.subsystem = NULL;
        udev_wait_rules_changed(b.wait);
        assert_string_equal(b.looked, "/devices/card:pci:x ");
        assert_int_equal(udev_wait_count(b.wait), 0);
        bench_close(&b);
}

/* Is udevd through with what it was told of before? */
static void test_found(void **state) {
        static const struct {
                const char *title;
                long control, data;     /* when they were written; 0: they are not there */
                bool busy, looked;
        } cases[] = {
                { "no udevd", 0, 0, false, false },
                { "udevd has started", 10, 0, false, false },
                { "udevd of before, in the initial RAM disk", 10, 5, false, false },
                { "udevd is busy", 10, 15, true, false },
                { "udevd is through", 10, 15, false, true },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Bench b;

                bench_open(&b, NEVER, SOON);
                if (cases[i].control > 0)
                        write_at(&b, "control", cases[i].control);
                if (cases[i].data > 0) {
                        write_at(&b, "data/+pci:y", cases[i].data);
                        data_is_from(&b, cases[i].data);
                }
                if (cases[i].busy)
                        write_at(&b, "queue", 20);
                assert_int_equal(udev_wait_found(b.wait, &card, "/devices/card"), 1);
                assert_int_equal(udev_wait_event(b.wait, &card, "/devices/told"),
                                 1); /* this one has an event to come */
                if (cases[i].looked)
                        await_look(&b);
                pass_time(&b);
                if (!streq(b.looked, cases[i].looked ? "/devices/card:pci:x " : ""))
                        fail_msg("%s: %s", cases[i].title, b.looked);
                bench_close(&b);
        }
}

/* It appeared when lkmd had just begun to listen to udev: its event may have been sent before. */
static void test_missed(void **state) {
        Bench b;

        bench_open_listening(&b, NEVER, SOON, NEVER);
        write_at(&b, "control", 10);
        write_at(&b, "data/+pci:y", 15);
        data_is_from(&b, 15);
        write_at(&b, "queue", 20);
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/card"), 1);
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/late"), 1);
        pass_time(&b);
        assert_string_equal(b.looked, ""); /* udevd is busy */
        udev_wait_answer(b.wait, &card, "/devices/late");
        scratch_remove(&b.s, "queue");
        await_look(&b);
        assert_string_equal(b.looked, "/devices/card:pci:x ");
        assert_int_equal(udev_wait_count(b.wait), 0);
        bench_close(&b);

        bench_open(&b, NEVER, SOON);
        b.subsystem = NULL;
        write_at(&b, "control", 10);
        write_at(&b, "data/+pci:y", 15);
        data_is_from(&b, 15);
        udev_wait_rules_changed(b.wait);
        (void) usleep(2);
        b.subsystem = "pci";
        assert_int_equal(udev_wait_event(b.wait, &card, "/devices/card"), 1);
        pass_time(&b);
        assert_string_equal(b.looked, ""); /* it has an event to come */
        bench_close(&b);
}

/* A device of this machine, whatever it is: has udev a record of it, and of when? */
static void test_record(void **state) {
        static const char device[] = "/devices/system/cpu/cpu0";
        DeviceFacts cpu = { .action = "add", .subsystem = "pci", .modalias = "cpu:x" };
        Bench b;

        bench_open(&b, NEVER, NEVER);
        write_at(&b, "control", 10);
        assert_int_equal(udev_wait_found(b.wait, &cpu, device), 1);
        udev_wait_answer(b.wait, &(DeviceFacts) { .action = "remove" }, device);
        write_at(&b, "data/+cpu:cpu0", 5);
        pass_time(&b);
        assert_string_equal(b.looked, "");
        write_at(&b, "data/+cpu:cpu0", 15);
        await_look(&b);
        assert_true(startswith(b.looked, "/devices/system/cpu/cpu0:"));
        assert_int_equal(udev_wait_found(b.wait, &cpu, device), 0);
        bench_close(&b);

        bench_open(&b, NEVER, NEVER);
        write_at(&b, "control", 10);
        write_at(&b, "data/+cpu:cpu0", 15);
        assert_int_equal(udev_wait_found(b.wait, &cpu, device), 0); /* at once */
        bench_close(&b);
}

/* Bounded: what is only remembered goes first, and what waits is kept. */
static void test_many(void **state) {
        Bench b;
        char device[64];

        bench_open(&b, NEVER, NEVER);
        for (unsigned i = 0; i < UDEV_DEVICES_MAX; i++) {
                (void) snprintf(device, sizeof(device), "/devices/answered-%u", i);
                udev_wait_answer(b.wait, &card, device);
        }
        for (unsigned i = 0; i < UDEV_DEVICES_MAX + 10; i++) {
                (void) snprintf(device, sizeof(device), "/devices/waits-%u", i);
                assert_int_equal(udev_wait_event(b.wait, &card, device), 1);
        }
        assert_int_equal(udev_wait_count(b.wait), UDEV_DEVICES_MAX);
        assert_int_equal(udev_wait_found(b.wait, &card, "/devices/answered-0"), 1);
        bench_close(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_waits), cmocka_unit_test(test_answer),
                cmocka_unit_test(test_silence),   cmocka_unit_test(test_rules_go),
                cmocka_unit_test(test_found),     cmocka_unit_test(test_record),
                cmocka_unit_test(test_many), cmocka_unit_test(test_missed),
        };

        return RUN_TESTS(tests);
}
