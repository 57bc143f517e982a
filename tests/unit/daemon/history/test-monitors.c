/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/history/monitors.h"

#include "daemon-bench.h"
#include "test.h"
#include "varlink-bench.h"

typedef struct Bench {
        VarlinkBench varlink;
        Monitors *monitors;
        sd_varlink *links[8];           /* in order, borrowed */
        size_t n_links, n_disconnected;
} Bench;

static int on_monitor(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                      void *userdata) {
        Bench *b = userdata;

        b->links[b->n_links++] = link;
        return monitors_add(b->monitors, link);
}

static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata) {
        Bench *b = userdata;

        b->n_disconnected++;
        monitors_remove(b->monitors, link);
}

static void bench_open(Bench *b) {
        *b = (Bench) {};
        assert_ok(monitors_new(&b->monitors));
        varlink_bench_open(&b->varlink, "Monitor", on_monitor, on_disconnect, b);
}

static void bench_close(Bench *b) {
        varlink_bench_close(&b->varlink);
        monitors_free(b->monitors);
}

/* Everything that was said since the last time. */
static char *hear(const Bench *b, int fd) {
        event_settle(b->varlink.event);
        return varlink_bench_read(fd);
}

static void assert_hears(const Bench *b, int fd, const char *expected) {
        _cleanup_(freep) char *text = hear(b, fd);

        assert_non_null(text);
        if (expected[0] == '\0')
                assert_string_equal(text, "");
        else if (!strstr(text, expected))
                fail_msg("'%s' is not in '%s'", expected, text);
}

static int subscribe(Bench *b) {
        int fd = varlink_bench_connect(&b->varlink);

        varlink_bench_call(fd, "Monitor", "{}", true);
        assert_hears(b, fd, "{\"parameters\":{},\"continues\":true}\n");
        return fd;
}

static void test_who_listens_is_told(void **state) {
        _cleanup_(bench_close) Bench b;
        int one, two;

        bench_open(&b);
        assert_true(monitors_is_empty(b.monitors));
        monitors_message(b.monitors, "rescan", "nobody hears this");
        one = subscribe(&b);
        two = subscribe(&b);
        assert_false(monitors_is_empty(b.monitors));
        assert_hears(&b, one, "");

        monitors_message(b.monitors, "reloaded", "both hear this");
        assert_hears(&b, one, "\"kind\":\"reloaded\"");
        assert_hears(&b, two, "both hear this");

        close(one);
        event_settle(b.varlink.event);
        monitors_message(b.monitors, "reloaded", "one is left");
        assert_hears(&b, two, "one is left");
        close(two);
        event_settle(b.varlink.event);
        assert_true(monitors_is_empty(b.monitors));
}

static void test_what_is_told(void **state) {
        char *const matches[] = { (char *) "usb_storage", (char *) "uas", NULL }, *const none[] = { NULL };
        const PlanOmission omission = { .kind = PLAN_BLACKLISTED,
                                        .module = (char *) "pcspkr",
                                        .ruling = { .source = _POLICY_SOURCE_INVALID },
                                        .required = true };
        const Problem problem = { .file = (char *) "/etc/modprobe.d/x.conf",
                                  .line = 3,
                                  .message = (char *) "it is bad" };
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *record = NULL;
        _cleanup_(bench_close) Bench b;
        int fd;

        bench_open(&b);
        fd = subscribe(&b);
        assert_ok(request_new_device(&request, "usb:\xff", "/devices/1-1", "usb", NULL));
        assert_ok(record_new(&record, "usb_storage", request));

        monitors_device(b.monitors, request, matches);
        assert_hears(&b, fd, "\"key\":\"usb:\\\\xff\",\"device\":\"/devices/1-1\",\"subsystem\":\"usb\"},"
                             "\"matches\":[\"usb_storage\",\"uas\"]}");
        monitors_device(b.monitors, request, none);
        assert_hears(&b, fd, "\"matches\":[]");
        monitors_verdict(b.monitors, "verdict", request, &omission);
        assert_hears(&b, fd, "\"omission\":{\"kind\":\"blacklisted\",\"module\":\"pcspkr\"");
        monitors_record(b.monitors, "started", record);
        assert_hears(&b, fd, "{\"kind\":\"started\"");
        monitors_problem(b.monitors, &problem);
        assert_hears(
                &b, fd,
                "\"problem\":{\"file\":\"/etc/modprobe.d/x.conf\",\"line\":3,\"message\":\"it is bad\"}");
        close(fd);
}

/* The others go on hearing, whichever place it had. */
static void test_one_hangs_up_while_it_is_told(void **state) {
        for (size_t gone = 0; gone < 3; gone++) {
                _cleanup_(bench_close) Bench b;
                int fds[3];

                bench_open(&b);
                for (size_t i = 0; i < ARRAY_LEN(fds); i++)
                        fds[i] = subscribe(&b);
                close(fds[gone]);       /* and the loop has not seen it yet */
                monitors_message(b.monitors, "rescan", "first");
                event_settle(b.varlink.event);
                monitors_message(b.monitors, "rescan", "second");
                for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
                        if (i == gone)
                                continue;
                        assert_hears(&b, fds[i], "second");
                        close(fds[i]);
                }
        }
}

static int on_monitor_twice(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                            void *userdata) {
        Monitors *m = ((Bench *) userdata)->monitors;

        assert_ok(monitors_add(m, link));
        assert_int_equal(monitors_add(m, link), -EALREADY);
        return 0;
}

static void test_is_listed_once(void **state) {
        _cleanup_(bench_close) Bench b = {};
        _cleanup_(freep) char *text = NULL;
        int fd;

        assert_ok(monitors_new(&b.monitors));
        varlink_bench_open(&b.varlink, "Monitor", on_monitor_twice, on_disconnect, &b);
        fd = subscribe(&b);
        monitors_message(b.monitors, "rescan", "said once");
        text = hear(&b, fd);
        assert_non_null(strstr(text, "said once"));
        assert_null(strstr(strstr(text, "said once") + 1, "said once"));
        close(fd);
        event_settle(b.varlink.event);
        assert_true(monitors_is_empty(b.monitors));
}

/*
 * Links that cannot be notified any more, because their call was answered: the server calls back for each
 * that is hung up on, and the list has to be a list at that moment.
 */
static void test_links_that_take_nothing_more(void **state) {
        for (unsigned which = 0; which < 8; which++) {
                _cleanup_(bench_close) Bench b;
                size_t n_dead = 0;
                int fds[3];

                bench_open(&b);
                for (size_t i = 0; i < ARRAY_LEN(fds); i++)
                        fds[i] = subscribe(&b);
                for (size_t i = 0; i < ARRAY_LEN(fds); i++)
                        if (which & (1U << i)) {
                                assert_ok(sd_varlink_reply(b.links[i], NULL));
                                n_dead++;
                        }
                monitors_message(b.monitors, "rescan", "first");
                monitors_message(b.monitors, "rescan", "second");
                assert_int_equal(b.n_disconnected, n_dead);
                for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
                        if (!(which & (1U << i)))
                                assert_hears(&b, fds[i], "second");
                        close(fds[i]);
                }
                event_settle(b.varlink.event);
                assert_true(monitors_is_empty(b.monitors));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_listens_is_told),
                cmocka_unit_test(test_what_is_told),
                cmocka_unit_test(test_one_hangs_up_while_it_is_told),
                cmocka_unit_test(test_is_listed_once),
                cmocka_unit_test(test_links_that_take_nothing_more),
        };

        return RUN_TESTS(tests);
}
