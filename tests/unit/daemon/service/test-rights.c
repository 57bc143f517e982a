/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/service/rights.h"

#include "daemon-bench.h"
#include "test.h"
#include "varlink-bench.h"

#define NOBODY 65534

#define ONEWAY SD_VARLINK_METHOD_ONEWAY
#define MORE SD_VARLINK_METHOD_MORE

static const Peer admin = { .admin = true, .fd = -EBADF }, nobody = { .uid = NOBODY, .fd = -EBADF };

/* Stands for another method, called by somebody in some way. */
typedef struct Call {
        const char *method;
        const Peer *peer;
        sd_varlink_method_flags_t flags;
        unsigned n_let_through;
} Call;

static int on_status(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
                     void *userdata) {
        Call *c = userdata;
        int r;

        r = rights_check(c->peer, link, c->method, c->flags);
        if (r != 0)
                return r;
        c->n_let_through++;
        return sd_varlink_error(link, "io.lkmd.Manager.Timeout", NULL); /* any answer */
}

/* @answer: what has to be in it; NULL: there is none (the connection may end), and nothing was done */
static void assert_answer(const char *method, const Peer *peer, sd_varlink_method_flags_t flags, const char *answer) {
        Call c = { .method = method, .peer = peer, .flags = flags };
        _cleanup_(varlink_bench_close) VarlinkBench b;
        _cleanup_(freep) char *text = NULL;
        int fd;

        varlink_bench_open(&b, "Status", on_status, NULL, &c);
        fd = varlink_bench_connect(&b);
        varlink_bench_call(fd, "Status", "{}", false);
        event_settle(b.event);
        text = varlink_bench_read(fd);
        if (answer ? !text || !strstr(text, answer) : text && text[0] != '\0')
                fail_msg("%s with flags %u: '%s'", method, (unsigned) flags, text ?: "");
        assert_int_equal(c.n_let_through, answer && strstr(answer, "Timeout") ? 1 : 0);
        close(fd);
}

#define PASSES "io.lkmd.Manager.Timeout"
#define DENIED "org.varlink.service.PermissionDenied"

static const char *const reading[] = { "Status", "DescribeModule", "List",   "Monitor",
                                       "Wait",   "Audit",          "History" };
static const char *const changing[] = { "Load", "Unload", "Reload", "Grant", "Revoke", "ClearAudit" };
static const Peer container = { .by_broker = true, .container = (char *) "machine-a", .fd = -EBADF },
                  false_admin = { .admin = true, .by_broker = true, .fd = -EBADF };
static const char *const unknown[] = { "NoSuchMethod", "", "load", "Load2" };

static void test_who_may_what(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(reading); i++) {
                assert_answer(reading[i], &admin, 0, PASSES);
                assert_answer(reading[i], &nobody, 0, PASSES);
                assert_answer(reading[i], NULL, 0, DENIED);
        }
        for (size_t i = 0; i < ARRAY_LEN(changing); i++) {
                assert_answer(changing[i], &admin, 0, PASSES);
                assert_answer(changing[i], &nobody, 0, DENIED);
                assert_answer(changing[i], NULL, 0, DENIED);
        }
        for (size_t i = 0; i < ARRAY_LEN(reading); i++)
                assert_answer(reading[i], &container, 0, DENIED);
        for (size_t i = 0; i < ARRAY_LEN(changing); i++)
                assert_answer(changing[i], &false_admin, 0, DENIED);
        assert_answer("Require", &container, 0, PASSES);
        assert_answer("Require", &admin, 0, DENIED);
        assert_answer("Require", NULL, 0, DENIED);
        for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
                assert_answer(unknown[i], &admin, 0, DENIED);
                assert_answer(unknown[i], &nobody, 0, DENIED);
        }
}

static void test_who_may_how(void **state) {
        static const struct {
                const char *method;
                sd_varlink_method_flags_t flags;
                const char *answer;
        } cases[] = {
                { "Load", ONEWAY, PASSES },
                { "Unload", ONEWAY, PASSES },
                { "Reload", ONEWAY, PASSES },
                { "Grant", ONEWAY, PASSES },
                { "Revoke", ONEWAY, PASSES },
                { "ClearAudit", ONEWAY, PASSES },
                { "Wait", ONEWAY, NULL },
                { "Monitor", ONEWAY, NULL },
                { "Status", ONEWAY, NULL },
                { "List", ONEWAY, NULL },
                { "DescribeModule", ONEWAY, NULL },
                { "Audit", ONEWAY, NULL },
                { "NoSuchMethod", ONEWAY, NULL },
                { "Load", MORE, PASSES },
                { "Unload", MORE, PASSES },
                { "Monitor", MORE, PASSES },
                { "Wait", MORE, "\"more\"" },
                { "Status", MORE, "\"more\"" },
                { "List", MORE, "\"more\"" },
                { "DescribeModule", MORE, "\"more\"" },
                { "Audit", MORE, "\"more\"" },
                { "Reload", MORE, "\"more\"" },
                { "Grant", MORE, "\"more\"" },
                { "Revoke", MORE, "\"more\"" },
                { "ClearAudit", MORE, "\"more\"" },
                { "Load", 1 << 30, "\"flags\"" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_answer(cases[i].method, &admin, cases[i].flags, cases[i].answer);
        assert_answer("Load", &nobody, ONEWAY, NULL);
        assert_answer("Load", &nobody, MORE, DENIED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_may_what),
                cmocka_unit_test(test_who_may_how),
        };

        return RUN_TESTS(tests);
}
