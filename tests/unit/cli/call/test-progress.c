/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/base/clock.h"
#include "test.h"

#include "cli/call/failure.h"
#include "cli/call/progress.h"
#include "cli/print/format.h"

static void event(Progress *p, const char *kind, const char *module, uint64_t duration_usec,
                  uint64_t now_usec) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

        assert_ok(sd_json_buildo(
                &v, SD_JSON_BUILD_PAIR_STRING("kind", kind),
                SD_JSON_BUILD_PAIR(
                        "record",
                        SD_JSON_BUILD_OBJECT(SD_JSON_BUILD_PAIR_STRING("module", module),
                                             SD_JSON_BUILD_PAIR_UNSIGNED("durationUSec", duration_usec)))));
        progress_event(p, v, now_usec);
}

static void assert_shows(const Progress *p, uint64_t now_usec, const char *expected) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        progress_print(p, f, now_usec);
        assert_int_equal(fclose(f), 0);
        assert_string_equal(text, expected);
        free(text);
}

static void test_begins_and_ends(void **state) {
        Progress p = { .since_usec = 100 * USEC_PER_SEC };

        assert_shows(&p, 103 * USEC_PER_SEC, "waiting for lkmd 3 s");
        event(&p, "started", "ptp", 0, 103 * USEC_PER_SEC);
        event(&p, "started", "e1000e", 0, 104 * USEC_PER_SEC);
        assert_shows(&p, 105 * USEC_PER_SEC, "ptp 2 s, e1000e 1 s");
        event(&p, "finished", "ptp", 0, 105 * USEC_PER_SEC);
        assert_shows(&p, 106 * USEC_PER_SEC, "e1000e 2 s");
        event(&p, "finished", "never_begun", 0, 105 * USEC_PER_SEC);
        event(&p, "verdict", "other", 0, 105 * USEC_PER_SEC);
        event(&p, "finished", "e1000e", 0, 105 * USEC_PER_SEC);
        assert_shows(&p, 107 * USEC_PER_SEC, "waiting for lkmd 7 s");
        progress_done(&p);
}

/* A client that joins late learns from the event how long it takes already. */
static void test_slow_tells_the_time_so_far(void **state) {
        Progress p = { .since_usec = 100 * USEC_PER_SEC };

        event(&p, "slow", "floppy", 30 * USEC_PER_SEC, 101 * USEC_PER_SEC);
        assert_shows(&p, 102 * USEC_PER_SEC, "floppy 31 s");
        event(&p, "slow", "floppy", UINT64_MAX, 102 * USEC_PER_SEC);
        assert_shows(&p, 102 * USEC_PER_SEC, "floppy 102 s");
        progress_done(&p);
}

static void test_garbage(void **state) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        Progress p = {};

        progress_event(&p, NULL, 1);
        assert_ok(sd_json_parse("{\"kind\":3,\"record\":[]}", 0, &v, NULL, NULL));
        progress_event(&p, v, 1);
        assert_int_equal(p.n_items, 0);
        event(&p, "started", "a\033b", 0, 0);
        assert_shows(&p, 0, "a\\x1bb 0 s");
        progress_done(&p);
}

static void test_worst_status(void **state) {
        static const ExitStatus rising[] = {
                STATUS_DONE,   STATUS_USAGE,  STATUS_NO_SUCH_MODULE,
                STATUS_DENIED, STATUS_FAILED, STATUS_NOT_REACHABLE,
        };

        for (size_t i = 0; i < ARRAY_LEN(rising); i++)
                for (size_t k = 0; k < ARRAY_LEN(rising); k++)
                        assert_int_equal(failure_worse(rising[i], rising[k]), rising[MAX(i, k)]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_begins_and_ends),
                cmocka_unit_test(test_slow_tells_the_time_so_far),
                cmocka_unit_test(test_garbage),
                cmocka_unit_test(test_worst_status),
        };

        return RUN_TESTS(tests);
}
