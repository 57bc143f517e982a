/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/rights.h"

#include <grp.h>

#include "daemon-bench.h"
#include "test.h"
#include "varlink-bench.h"

#define NOBODY 65534

/* A method whose handler asks for the rights of another one. */
static int on_status(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata) {
        int r;

        r = rights_check(link, userdata);
        if (r != 0)
                return r;
        return sd_varlink_error(link, "io.lkmd.Manager.Timeout", NULL); /* stands for: it was let through */
}

static void assert_may(const char *method, bool may) {
        _cleanup_(varlink_bench_close) VarlinkBench b;
        _cleanup_(freep) char *answer = NULL;
        _cleanup_(closep) int fd = -EBADF;

        varlink_bench_open(&b, "Status", on_status, NULL, (void *) method);
        fd = varlink_bench_connect(&b);
        varlink_bench_call(fd, "Status", "{}", false);
        event_settle(b.event);
        answer = varlink_bench_read(fd);
        assert_non_null(answer);
        if (!strstr(answer, may ? "io.lkmd.Manager.Timeout" : "org.varlink.service.PermissionDenied"))
                fail_msg("%s: %s", method, answer);
        closep(&fd);
        fd = -EBADF;
}

static const char *const reading[] = { "Status", "DescribeModule", "List", "Monitor", "Wait", "Audit" };
static const char *const changing[] = { "Load", "Unload", "Reload", "Grant", "Revoke" };
static const char *const unknown[] = { "NoSuchMethod", "", "load", "Load2" };

static void test_root(void **state) {
        if (geteuid() != 0)
                skip();
        for (size_t i = 0; i < ARRAY_LEN(reading); i++)
                assert_may(reading[i], true);
        for (size_t i = 0; i < ARRAY_LEN(changing); i++)
                assert_may(changing[i], true);
        for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
                assert_may(unknown[i], false);
}

/* The kernel notes who a peer is when the connection is made. */
static void test_nobody_in_particular(void **state) {
        if (geteuid() != 0)
                skip();
        assert_int_equal(setgroups(0, NULL), 0);
        assert_int_equal(setegid(NOBODY), 0);
        assert_int_equal(seteuid(NOBODY), 0);
        for (size_t i = 0; i < ARRAY_LEN(reading); i++)
                assert_may(reading[i], true);
        for (size_t i = 0; i < ARRAY_LEN(changing); i++)
                assert_may(changing[i], false);
        for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
                assert_may(unknown[i], false);
        assert_int_equal(seteuid(0), 0);
        assert_int_equal(setegid(0), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_root),
                cmocka_unit_test(test_nobody_in_particular),
        };

        return RUN_TESTS(tests);
}
