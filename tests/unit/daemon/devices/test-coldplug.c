/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/devices/coldplug.h"

#include <sys/eventfd.h>

#include "test.h"

#define DEVICES_A_SLICE 32U             /* as in coldplug.c */

typedef struct Bench {
        sd_event *event;
        struct udev *udev;
        Coldplug *coldplug;
        size_t n_seen, n_done, n_turns; /* of others, before the walk was over */
        bool again;                     /* start another walk with the first device */
} Bench;

static void on_seen(const DeviceFacts *facts, const char *device, void *userdata) {
        Bench *b = userdata;

        assert_string_equal(facts->action, "add");
        assert_int_equal(device[0], '/');
        b->n_seen++;
        if (b->again) {
                b->again = false;
                assert_ok(coldplug_start(b->coldplug));
        }
}

static void on_done(size_t n_devices, void *userdata) {
        Bench *b = userdata;

        b->n_done++;
        assert_false(coldplug_is_running(b->coldplug));
        assert_ok(sd_event_exit(b->event, (int) n_devices));
}

/* Always readable, of the same priority. */
static int on_other(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Bench *b = userdata;

        b->n_turns++;
        return 0;
}

static void bench_open(Bench *b) {
        *b = (Bench) { .udev = udev_new() };
        assert_non_null(b->udev);
        assert_ok(sd_event_new(&b->event));
        assert_ok(coldplug_new(&b->coldplug, b->event, b->udev, on_seen, on_done, b));
        assert_false(coldplug_is_running(b->coldplug));
}

static void bench_close(Bench *b) {
        coldplug_free(b->coldplug);
        sd_event_unref(b->event);
        udev_unref(b->udev);
}

/* Over the devices of this machine, whatever they are: between two slices everybody else has a turn. */
static void test_others_have_their_turn(void **state) {
        int fd = eventfd(1, EFD_CLOEXEC), n;
        Bench b;

        bench_open(&b);
        assert_true(fd >= 0);
        assert_ok(sd_event_add_io(b.event, NULL, fd, EPOLLIN, on_other, &b));
        assert_ok(coldplug_start(b.coldplug));
        assert_true(coldplug_is_running(b.coldplug));
        n = sd_event_loop(b.event);
        assert_true(n > 0);
        assert_true(b.n_seen >= (size_t) n);
        assert_int_equal(b.n_done, 1);
        assert_true(b.n_turns + 1 >= (size_t) n / DEVICES_A_SLICE);
        bench_close(&b);
        (void) close(fd);
}

/* A defer source that was made later, which is what starts loads. */
static int on_deferred(sd_event_source *source, void *userdata) {
        Bench *b = userdata;

        b->n_turns++;
        assert_int_equal(b->n_done, 0);
        return 0;
}

static void test_what_was_found_is_not_kept_waiting(void **state) {
        sd_event_source *source = NULL;
        Bench b;

        bench_open(&b);
        assert_ok(sd_event_add_defer(b.event, &source, on_deferred, &b)); /* once */
        assert_ok(coldplug_start(b.coldplug));
        assert_true(sd_event_loop(b.event) > 0);
        assert_int_equal(b.n_turns, 1);
        sd_event_source_unref(source);
        bench_close(&b);
}

static void test_asked_for_while_it_runs(void **state) {
        size_t once;
        Bench b;

        bench_open(&b);
        assert_ok(coldplug_start(b.coldplug));
        assert_true(sd_event_loop(b.event) > 0);
        once = b.n_seen;
        bench_close(&b);

        bench_open(&b);
        b.again = true;
        assert_ok(coldplug_start(b.coldplug));
        assert_true(sd_event_loop(b.event) > 0);
        assert_int_equal(b.n_done, 1);
        assert_true(b.n_seen > once);   /* about twice as many: devices come and go */
        bench_close(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_others_have_their_turn),
                cmocka_unit_test(test_what_was_found_is_not_kept_waiting),
                cmocka_unit_test(test_asked_for_while_it_runs),
        };

        return RUN_TESTS(tests);
}
