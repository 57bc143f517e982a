/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/service/waits.h"

#include "daemon-bench.h"
#include "test.h"
#include "varlink-bench.h"

typedef struct Bench {
        VarlinkBench varlink;
        Waits *waits;
        bool idle;                      /* what the daemon would say of itself */
        WaitListsState lists;           /* likewise */
        WaitFor what;                   /* the next call waits for */
} Bench;

/* A device on every machine that never has a driver, and one that no machine has. */
#define DEVICE "/devices/system/cpu"
#define NO_DEVICE "/devices/lkmdt"

static WaitListsState look_at_lists(void *userdata) {
        return ((Bench *) userdata)->lists;
}

static bool is_idle(void *userdata) {
        return ((Bench *) userdata)->idle;
}

static int on_wait(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata) {
        Bench *b = userdata;

        return waits_add(b->waits, link, &b->what);
}

static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata) {
        waits_remove(((Bench *) userdata)->waits, link);
}

static void bench_open(Bench *b) {
        *b = (Bench) { .what = { .idle = true, .timeout_usec = UINT64_MAX } };
        varlink_bench_open(&b->varlink, "Wait", on_wait, on_disconnect, b);
        assert_ok(waits_new(&b->waits, b->varlink.event, is_idle, b));
        waits_set_lists(b->waits, look_at_lists, b);
}

static void bench_close(Bench *b) {
        varlink_bench_close(&b->varlink);
        waits_free(b->waits);
}

static int wait_for(Bench *b) {
        int fd = varlink_bench_connect(&b->varlink);

        varlink_bench_call(fd, "Wait", "{}", false);
        event_settle(b->varlink.event);
        return fd;
}

static void assert_hears(int fd, const char *expected) {
        _cleanup_(freep) char *text = varlink_bench_read(fd);

        assert_non_null(text);
        assert_string_equal(text, expected);
}

static void test_idle_already(void **state) {
        _cleanup_(bench_close) Bench b;
        int fd;

        bench_open(&b);
        b.idle = true;
        fd = wait_for(&b);
        assert_hears(fd, "{\"parameters\":{}}\n");
        close(fd);
}

static void test_all_hear_of_it_once(void **state) {
        _cleanup_(bench_close) Bench b;
        int fds[5];

        bench_open(&b);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
                fds[i] = wait_for(&b);
                assert_hears(fds[i], "");
        }
        waits_check_soon(b.waits);
        event_settle(b.varlink.event);
        assert_hears(fds[0], "");

        close(fds[2]);                  /* one has given up */
        event_settle(b.varlink.event);
        b.idle = true;
        waits_check_soon(b.waits);
        waits_check_soon(b.waits);
        event_settle(b.varlink.event);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
                if (i == 2)
                        continue;
                assert_hears(fds[i], "{\"parameters\":{}}\n");
                close(fds[i]);
        }
}

/* Turns the loop until there is an answer. */
static char *answer_of(Bench *b, int fd) {
        char *text = varlink_bench_read(fd);

        while (text && text[0] == '\0') {
                free(text);
                assert_ok(sd_event_run(b->varlink.event, UINT64_MAX));
                text = varlink_bench_read(fd);
        }
        assert_non_null(text);
        return text;
}

static void test_time_is_over(void **state) {
        static const struct {
                WaitFor what;
                const char *says;
        } cases[] = {
                { { .idle = true }, "lkmd did not become idle" },
                { { .module = "lkmdt_none" }, "lkmdt_none did not become live" },
                { { .module = "lkmdt_none", .device = DEVICE, .idle = true }, "lkmdt_none did not become live" },
                { { .device = DEVICE }, "no driver was bound to " DEVICE " within the time given" },
                { { .device = DEVICE, .idle = true }, "no driver was bound to " DEVICE },
                { { .lists = true }, "what is listed for the boot was not all loaded" },
                { { .lists = true, .idle = true }, "what is listed for the boot was not all loaded" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(bench_close) Bench b;
                _cleanup_(freep) char *text = NULL;
                int fd;

                bench_open(&b);
                b.what = cases[i].what;
                b.what.timeout_usec = 0;
                fd = varlink_bench_connect(&b.varlink);
                varlink_bench_call(fd, "Wait", "{}", false);
                text = answer_of(&b, fd);
                assert_non_null(strstr(text, "io.lkmd.Manager.Timeout"));
                assert_non_null(strstr(text, cases[i].says));
                close(fd);
        }
}

/* At once, whatever else is waited for and however long. */
static void test_device_is_gone(void **state) {
        static const WaitFor cases[] = {
                { .device = NO_DEVICE, .timeout_usec = UINT64_MAX },
                { .device = NO_DEVICE, .timeout_usec = 0 },
                { .device = NO_DEVICE, .module = "lkmdt_none", .idle = true, .timeout_usec = UINT64_MAX },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(bench_close) Bench b;
                _cleanup_(freep) char *text = NULL;
                int fd;

                bench_open(&b);
                b.what = cases[i];
                fd = varlink_bench_connect(&b.varlink);
                varlink_bench_call(fd, "Wait", "{}", false);
                text = answer_of(&b, fd);
                assert_non_null(strstr(text, "io.lkmd.Manager.NoSuchDevice"));
                assert_non_null(strstr(text, "the device " NO_DEVICE " is gone"));
                close(fd);
        }
}

static void test_lists(void **state) {
        _cleanup_(bench_close) Bench b;
        _cleanup_(freep) char *text = NULL;
        int fd;

        bench_open(&b);
        b.what = (WaitFor) { .lists = true, .timeout_usec = UINT64_MAX };
        fd = wait_for(&b);
        assert_hears(fd, "");
        b.lists = WAIT_LISTS_SETTLED;
        waits_check_soon(b.waits);
        text = answer_of(&b, fd);
        assert_string_equal(text, "{\"parameters\":{}}\n");
        close(fd);
}

/* At once, however long the wait may take. */
static void test_lists_are_left(void **state) {
        _cleanup_(bench_close) Bench b;
        _cleanup_(freep) char *text = NULL;
        int fd;

        bench_open(&b);
        b.lists = WAIT_LISTS_LEFT;
        b.what = (WaitFor) { .lists = true, .timeout_usec = UINT64_MAX };
        fd = varlink_bench_connect(&b.varlink);
        varlink_bench_call(fd, "Wait", "{}", false);
        text = answer_of(&b, fd);
        assert_non_null(strstr(text, "io.lkmd.Manager.NotInCharge"));
        close(fd);
}

static void test_path_too_long_for_a_device(void **state) {
        _cleanup_(bench_close) Bench b;
        _cleanup_(freep) char *text = NULL;
        char path[5000];
        int fd;

        bench_open(&b);
        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        b.what = (WaitFor) { .device = path, .timeout_usec = UINT64_MAX };
        fd = varlink_bench_connect(&b.varlink);
        varlink_bench_call(fd, "Wait", "{}", false);
        text = answer_of(&b, fd);
        assert_non_null(strstr(text, "io.lkmd.Manager.NoSuchDevice"));
        close(fd);
}

static void test_all_of_it_has_to_hold(void **state) {
        _cleanup_(bench_close) Bench b;
        int fd;

        bench_open(&b);
        b.what = (WaitFor) { .idle = true, .device = DEVICE, .timeout_usec = UINT64_MAX };
        b.idle = true;
        fd = wait_for(&b);
        waits_check_soon(b.waits);
        event_settle(b.varlink.event);
        assert_hears(fd, "");
        close(fd);
}

static int on_wait_twice(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                         void *userdata) {
        Bench *b = userdata;

        assert_ok(waits_add(b->waits, link, &b->what));
        assert_int_equal(waits_add(b->waits, link, &b->what), -EALREADY);
        return 0;
}

static void test_is_answered_once(void **state) {
        _cleanup_(bench_close) Bench b = { .idle = true, .what = { .idle = true, .timeout_usec = UINT64_MAX } };
        int fd;

        varlink_bench_open(&b.varlink, "Wait", on_wait_twice, on_disconnect, &b);
        assert_ok(waits_new(&b.waits, b.varlink.event, is_idle, &b));
        fd = wait_for(&b);
        assert_hears(fd, "{\"parameters\":{}}\n");
        close(fd);
}

static void test_freed_with_clients_waiting(void **state) {
        _cleanup_(bench_close) Bench b;
        int idle, module;

        bench_open(&b);
        idle = wait_for(&b);
        b.what = (WaitFor) { .module = "lkmdt_none", .device = DEVICE, .timeout_usec = 3600U * 1000000U };
        module = wait_for(&b);
        b.waits = waits_free(b.waits);
        assert_ok(waits_new(&b.waits, b.varlink.event, is_idle, &b));
        close(idle);
        close(module);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_idle_already),
                cmocka_unit_test(test_all_hear_of_it_once),
                cmocka_unit_test(test_time_is_over),
                cmocka_unit_test(test_device_is_gone),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_lists_are_left),
                cmocka_unit_test(test_path_too_long_for_a_device),
                cmocka_unit_test(test_all_of_it_has_to_hold),
                cmocka_unit_test(test_is_answered_once),
                cmocka_unit_test(test_freed_with_clients_waiting),
        };

        return RUN_TESTS(tests);
}
