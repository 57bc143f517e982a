/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/config/grants.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "test.h"

#define BOOT "11111111-2222-3333-4444-555555555555"
#define HEAD "version: 1\nboot: " BOOT "\nrules:\n"
#define GOOD "- {id: grant-1, match: {module: a}, verdict: allow, reason: r}\n"
#define SECOND 1000000U

static const BootMoment now = { BOOT, 5U * SECOND };

static Grants *parse(const char *text, const BootMoment *when, ProblemList *problems) {
        Grants *g = NULL;

        assert_ok(grants_parse(&g, "FILE", text, strlen(text), when, problems));
        assert_non_null(g);
        return g;
}

/* Each entry stands in line 5, behind a good one; of all of them only that holds. */
static void test_bad_entries(void **state) {
        static const struct {
                const char *entry, *problem;
        } cases[] = {
                { "{id: x, match: {module: b}, verdict: allow}", "a reason is needed" },
                { "{id: x, match: {module: b}, verdict: allow, reason: ' '}", "a reason is needed" },
                { "{match: {module: b}, verdict: allow, reason: r}", "a grant needs an \"id\"" },
                { "{id: x, match: {module: '!b'}, verdict: allow, reason: r}", "cannot be negated" },
                { "{id: x, match: {module: [b, c]}, verdict: allow, reason: r}", "one module or one glob" },
                { "{id: x, match: {module: [b, '!c']}, verdict: allow, reason: r}", "one module or one glob" },
                { "{id: x, verdict: allow, reason: r}", "one module or one glob" },
                { "{id: x, match: {module: b, uid: 0}, verdict: allow, reason: r}", "key \"uid\" has no meaning" },
                { "{id: x, match: {module: b, origin: client}, verdict: allow, reason: r}", "key \"origin\"" },
                { "{id: x, match: {module: b}, mode: off, verdict: deny, reason: r}", "key \"mode\"" },
                { "{id: x, match: {module: b}, options: [a=1], verdict: allow, reason: r}", "key \"options\"" },
                { "{id: x, match: {module: b}, verdict: audit, reason: r}", "a grant allows or denies" },
                { "{id: x, match: {module: b}, reason: r}", "needs at least one of" },
                { "{id: x, match: {module: b}, verdict: allow, reason: r, expires: soon}", "expected a day" },
                { "{id: x, match: {module: b}, verdict: allow, reason: r, uptime: 5}", "seconds since boot" },
                { "{id: x, match: {module: b}, verdict: allow, reason: r, uptime: -5.000000}", "seconds since boot" },
                { "{id: x, match: {module: b}, verdict: allow, reason: r, uptime: 5.0000000}", "seconds since boot" },
                { "{id: x, match: {module: b}, verdict: allow, reason: r, once: maybe}", "expected yes or no" },
                { "{id: x, match: {module: b}, verdict: allow, reason: r, by: root}", "expected a number" },
                { "{id: x, match: {module: b}, verdict: allow, reason: r, by: 4294967295}", "expected a number" },
                { "{id: x, match: {module: b}, verdict: allow, reason: r, given: 99999999999999999999}", "expected a" },
                { "{id: x, match: {module: b}, verdict: allow, reason: r, expires: 2999-01-01}", "no \"uptime\"" },
                { "{id: grant-1, match: {module: b}, verdict: allow, reason: r}", "has the id \"grant-1\" already" },
                { "{id: x, match: {module: \"b\\u202e\"}, verdict: allow, reason: r}", "U+202E" },
                { "{id: x, match: {module: b}, verdict: allow, reason: \"a\\tb\"}", "control character" },
                { "allow", "expected a rule" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(problem_list_clear) ProblemList problems = {};
                _cleanup_(freep) char *text = NULL;
                _cleanup_(grants_freep) Grants *g = NULL;

                assert_true(asprintf(&text, HEAD GOOD "- %s\n", cases[i].entry) > 0);
                g = parse(text, &now, &problems);
                if (grants_count(g) != 1 || !streq(grants_get(g, 0)->module, "a"))
                        fail_msg("%s: %zu grants", cases[i].entry, grants_count(g));
                if (problems.n_items == 0 || !strstr(problems.items[0].message, cases[i].problem) ||
                    !streq(problems.items[0].file, "FILE") || problems.items[0].line != 5)
                        fail_msg("%s: %u: %s", cases[i].entry, problems.n_items ? problems.items[0].line : 0,
                                 problems.n_items ? problems.items[0].message : "no problem");
        }
}

static void test_bad_files(void **state) {
        static const char *const texts[] = {
                "",       "version: 2\n",         "rules: [\n", "\xff\xfe",      "version: 1\nrules: {}\n",
                "[]",     "version: 1\nmode: off\n", ("version: 1\nboot: x\nrules:\n" GOOD),
                ("version: 1\nboot: [x]\nrules:\n" GOOD),
        };

        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
                _cleanup_(problem_list_clear) ProblemList problems = {};
                _cleanup_(grants_freep) Grants *g = parse(texts[i], &now, &problems);

                if (grants_count(g) != 0 || problems.n_items == 0)
                        fail_msg("%s: %zu grants, %zu problems", texts[i], grants_count(g), problems.n_items);
        }
}

/* Of another boot, or who knows: an allowance is over, a denial goes on. */
static void test_of_this_boot(void **state) {
        static const char both[] = "- {id: a, match: {module: a}, verdict: allow, reason: r}\n"
                                   "- {id: d, match: {module: d}, verdict: deny, reason: r}\n";
        static const struct {
                const char *head, *now;
                size_t n;
        } cases[] = {
                { "version: 1\nboot: " BOOT "\nrules:\n", BOOT, 2 },
                { "version: 1\nboot: 21111111-2222-3333-4444-555555555555\nrules:\n", BOOT, 1 },
                { "version: 1\nrules:\n", BOOT, 1 },
                { "version: 1\nboot: " BOOT "\nrules:\n", "", 1 },
                { "version: 1\nrules:\n", "", 1 },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(problem_list_clear) ProblemList problems = {};
                _cleanup_(freep) char *text = NULL;
                _cleanup_(grants_freep) Grants *g = NULL;
                BootMoment when = {};

                snprintf(when.id, sizeof(when.id), "%s", cases[i].now);
                assert_true(asprintf(&text, "%s%s", cases[i].head, both) > 0);
                g = parse(text, &when, &problems);
                assert_int_equal(grants_count(g), cases[i].n);
                assert_int_equal(problems.n_items, 2 - cases[i].n);
                if (cases[i].n == 1)
                        assert_string_equal(grants_get(g, 0)->id, "d");
        }
}

/* Whichever clock says so first; to set one back gives no more time. */
static void test_two_clocks(void **state) {
        static const char text[] = HEAD "- {id: g, match: {module: a}, verdict: allow, reason: r,"
                                        " expires: 1970-01-01T00:01:40Z, uptime: 30.000000}\n";
        static const struct {
                uint64_t wall, boot;
                bool holds;
        } cases[] = {
                { 99, 29, true }, { 100, 29, false }, { 99, 30, false }, { 0, 31, false }, { 1000, 6, false },
        };
        uint64_t next, next_boot;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(grants_freep) Grants *g = parse(text, &now, NULL);

                grants_next_expiry(g, &next, &next_boot);
                assert_int_equal(next, 100U * SECOND);
                assert_int_equal(next_boot, 30U * SECOND);
                assert_int_equal(grants_expire(g, cases[i].wall * SECOND, cases[i].boot * SECOND),
                                 !cases[i].holds);
                assert_int_equal(grants_count(g), cases[i].holds);
        }
        _cleanup_(grants_freep) Grants *late = parse(text, &(BootMoment) { BOOT, 30U * SECOND }, NULL);

        assert_int_equal(grants_count(late), 0); /* over before it was read */
}

static void expect_equal(const Grant *a, const Grant *b) {
        assert_string_equal(a->id, b->id);
        assert_string_equal(a->module, b->module);
        assert_string_equal(a->reason, b->reason);
        assert_int_equal(a->verdict, b->verdict);
        assert_int_equal(a->expires_usec, b->expires_usec);
        assert_int_equal(a->ends_boot_usec, b->ends_boot_usec);
        assert_int_equal(a->once, b->once);
        assert_int_equal(a->has_uid, b->has_uid);
        assert_int_equal(a->has_uid ? a->uid : 0, b->has_uid ? b->uid : 0);
        assert_int_equal(a->created_usec, b->created_usec);
}

static void expect_round_trip(const Grants *g, const BootMoment *when) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(policy_file_freep) PolicyFile *file = NULL;
        _cleanup_(freep) char *text = NULL, *again = NULL;
        _cleanup_(grants_freep) Grants *read = NULL;
        size_t size = 0, size_again = 0;

        assert_ok(grants_print(g, &text, &size));
        assert_ok(grants_parse(&read, "FILE", text, size, when, &problems));
        if (problems.n_items > 0)
                fail_msg("%s\n%u: %s", text, problems.items[0].line, problems.items[0].message);
        assert_int_equal(grants_count(read), grants_count(g));
        for (size_t i = 0; i < grants_count(g); i++)
                expect_equal(grants_get(g, i), grants_get(read, i));
        assert_ok(grants_print(read, &again, &size_again));
        assert_string_equal(text, again);
        assert_ok(grants_to_file(g, &file));
        assert_int_equal(file ? file->n_rules : 0, grants_count(g));
}

/* Some bytes of a text that grant_check_*() may let pass or not. */
static void random_text(char *text, size_t size) {
        static const char *const pieces[] = { "a",  "B",  "-",  "_", "*",  "?",  "[-]", "[a-z]", "'",  "\"", "\\", ":",
                                              " ",  "#",  "- ", "{", "}",  "!",  "%",   "&",     "\t", "\n", ",",  "]",
                                              "\xc3\xbc", "\xf0\x9f\x90\xa7", "\xe2\x80\xae", "\xff", "yes", "0", "~" };
        size_t n = 0;

        text[0] = '\0';
        for (unsigned k = (unsigned) random() % 8; k > 0; k--)
                n += (size_t) snprintf(text + n, size - n, "%s", pieces[(size_t) random() % ARRAY_LEN(pieces)]);
}

/* Whatever may be granted reads back as what it was. */
static void test_round_trip_of_any(void **state) {
        BootMoment when;
        unsigned n = 0;

        boot_moment_now(&when);
        srandom(7);
        for (unsigned i = 0; i < 3000; i++) {
                _cleanup_(grants_freep) Grants *g = NULL;

                assert_ok(grants_new(&g, NULL, &when, NULL));
                for (unsigned k = (unsigned) random() % 6; k > 0; k--) {
                        char module[64], reason[64];
                        uint64_t end = clock_usec(CLOCK_REALTIME) + (1ULL << (36 + random() % 24));
                        const Grant *added;

                        random_text(module, sizeof(module));
                        random_text(reason, sizeof(reason));
                        if (grant_check_module(module) || grant_check_reason(reason))
                                continue;
                        assert_ok(grants_add(g,
                                             &(Grant) {
                                                     .module = module,
                                                     .reason = reason,
                                                     .verdict = random() % 2 ? POLICY_ALLOW : POLICY_DENY,
                                                     .expires_usec = random() % 2 ? end : UINT64_MAX,
                                                     .once = random() % 2,
                                                     .has_uid = random() % 2,
                                                     .uid = (uid_t) random(),
                                             },
                                             &added));
                        n++;
                }
                expect_round_trip(g, &when);
        }
        assert_true(n > 1000);
}

/* What comes of any text that may be a file of grants is written as what it was. */
static void test_round_trip_of_files(void **state) {
        static const char *const texts[] = {
                HEAD GOOD,
                HEAD "- {id: grant-7, match: {module: 'a[-]b*'}, verdict: deny, reason: ' it''s', once: yes, given: 7, by: 0}\n",
                HEAD "- {id: x.y, match: {module: [usb-storage]}, verdict: allow, reason: \"\\\"#: \", uptime: 99.000001, "
                     "expires: 9999-12-31T23:59:59.999999Z}\n",
                "version: 1\n",
        };

        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
                _cleanup_(grants_freep) Grants *g = parse(texts[i], &now, NULL);

                assert_int_equal(grants_count(g), i < 3);
                expect_round_trip(g, &now);
        }
}

/* Beyond what a date can say is the last that it can, not for ever. */
static void test_end_of_time(void **state) {
        _cleanup_(grants_freep) Grants *g = NULL;
        BootMoment when;
        const Grant *added;

        boot_moment_now(&when);
        assert_ok(grants_new(&g, NULL, &when, NULL));
        assert_ok(grants_add(g, &(Grant) { .module = (char *) "a", .reason = (char *) "r", .verdict = POLICY_ALLOW,
                                           .expires_usec = UINT64_MAX - 1 },
                             &added));
        assert_true(added->expires_usec < UINT64_MAX - 1 && added->ends_boot_usec < UINT64_MAX - 1);
        expect_round_trip(g, &when);
}

static void test_more_than_there_may_be(void **state) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(grants_freep) Grants *g = NULL;
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        fprintf(f, HEAD);
        for (unsigned i = 0; i < 1000; i++)
                fprintf(f, "- {id: grant-%u, match: {module: m%u}, verdict: allow, reason: r}\n", i, i);
        assert_int_equal(fclose(f), 0);
        g = parse(text, &now, &problems);
        assert_true(grants_count(g) > 100 && grants_count(g) < 1000);
        assert_true(problems.n_items > 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bad_entries),
                cmocka_unit_test(test_bad_files),
                cmocka_unit_test(test_of_this_boot),
                cmocka_unit_test(test_two_clocks),
                cmocka_unit_test(test_round_trip_of_any),
                cmocka_unit_test(test_round_trip_of_files),
                cmocka_unit_test(test_end_of_time),
                cmocka_unit_test(test_more_than_there_may_be),
        };

        return RUN_TESTS(tests);
}
