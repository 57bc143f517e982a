/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/waits.h"

#include "daemon-bench.h"
#include "test.h"
#include "varlink-bench.h"

typedef struct Bench {
        VarlinkBench varlink;
        Waits *waits;
        bool idle;                      /* what the daemon would say of itself */
        const char *module;             /* what the next call waits for; with NULL: idleness */
        uint64_t timeout_usec;
} Bench;

static bool is_idle(void *userdata) {
        return ((Bench *) userdata)->idle;
}

static int on_wait(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                   void *userdata) {
        Bench *b = userdata;

        return waits_add(b->waits, link, !b->module, b->module, b->timeout_usec);
}

static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata) {
        waits_remove(((Bench *) userdata)->waits, link);
}

static void bench_open(Bench *b) {
        *b = (Bench) { .timeout_usec = UINT64_MAX };
        varlink_bench_open(&b->varlink, "Wait", on_wait, on_disconnect, b);
        assert_ok(waits_new(&b->waits, b->varlink.event, is_idle, b));
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

static void test_time_is_over(void **state) {
        _cleanup_(bench_close) Bench b;
        _cleanup_(freep) char *text = NULL;
        int fd;

        bench_open(&b);
        b.timeout_usec = 0;
        b.module = "lkmdt_none";
        fd = varlink_bench_connect(&b.varlink);
        varlink_bench_call(fd, "Wait", "{}", false);
        do {
                free(text);
                assert_ok(sd_event_run(b.varlink.event, UINT64_MAX));
                text = varlink_bench_read(fd);
                assert_non_null(text);
        } while (text[0] == '\0');
        assert_non_null(strstr(text, "io.lkmd.Manager.Timeout"));
        assert_non_null(strstr(text, "lkmdt_none did not become live"));
        close(fd);
}

static void test_freed_with_clients_waiting(void **state) {
        _cleanup_(bench_close) Bench b;
        int idle, module;

        bench_open(&b);
        idle = wait_for(&b);
        b.module = "lkmdt_none";
        b.timeout_usec = 3600U * 1000000U;
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
                cmocka_unit_test(test_freed_with_clients_waiting),
        };

        return RUN_TESTS(tests);
}
