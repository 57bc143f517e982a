/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each kind of omission has all of its texts, and the sentence about what is in the way of a request names it. */

#include "common/explain/omission-text.h"

#include "test.h"

static void test_every_kind(void **state) {
        for (PlanOmissionKind kind = 0; kind < _PLAN_OMISSION_KIND_MAX; kind++) {
                const OmissionText *text = omission_text(kind);

                assert_non_null(text->words);
                assert_non_null(text->before_place);
                assert_non_null(text->sentence);
                assert_non_null(text->end_of_chain);
                assert_non_null(text->message);
                assert_non_null(text->hint);
                assert_int_equal(plan_omission_kind_from_string(plan_omission_kind_to_string(kind)), kind);
        }
        assert_true(plan_omission_kind_from_string("bored") < 0);
        assert_true(plan_omission_kind_from_string(NULL) < 0);
}

typedef struct Left {                   /* an omission, in constants */
        PlanOmissionKind kind;
        const char *module, *wanted_by;
        bool required;
        PolicySource source;
        const char *file;
        unsigned line;
        const char *reason;
} Left;

static PlanOmission omission_of(const Left *l) {
        return (PlanOmission) {
                .kind = l->kind,
                .module = (char *) l->module,
                .wanted_by = (char *) l->wanted_by,
                .required = l->required,
                .ruling = { .source = l->source,
                            .file = (char *) l->file,
                            .line = l->line,
                            .reason = (char *) l->reason },
        };
}

#define NO_SOURCE _POLICY_SOURCE_INVALID

static void test_obstacle(void **state) {
        static const char explain[] = "lkmctl explain a shows every rule about it",
                          reinstall[] = "reinstall the modules of this kernel, or run depmod -a";
        static const struct {
                Left left[3];
                size_t n_left, obstacle;
                bool refusal;
                const char *message, *hint;
        } cases[] = {
                { { { PLAN_BLACKLISTED, "a", NULL, true, POLICY_BY_BLACKLIST, "/f", 3, "blacklisted" } },
                  1, 0, true, "a is denied by /f:3: blacklisted, and 'k\\x01' means nothing else",
                  "lkmctl load a loads it by its name all the same" },
                { { { PLAN_DENIED, "a", NULL, true, POLICY_BY_RULE, "/f", 3, "no\n" } },
                  1,
                  0,
                  true,
                  "a is denied by /f:3: no\\x0a",
                  explain },
                { { { PLAN_IMPOSSIBLE, "c", NULL, true, POLICY_BY_DEFAULT },
                    { PLAN_IMPOSSIBLE, "b", "c", true, POLICY_BY_DEFAULT },
                    { PLAN_DENIED, "a", "b", true, POLICY_BY_DEFAULT } },
                  3,
                  2,
                  true,
                  "a (needed by b, which c needs) is denied by the configuration",
                  explain },
                { { { PLAN_SOFTDEP_MISSING, "s", "a", false, NO_SOURCE },
                    { PLAN_FILE_MISSING, "a", NULL, true, NO_SOURCE } },
                  2,
                  1,
                  false,
                  "a cannot be loaded: its file is missing",
                  reinstall },
                { { { PLAN_MODULE_MISSING, "a", NULL, true, NO_SOURCE } },
                  1,
                  0,
                  false,
                  "a is not there: an alias leads to it, but no such module exists",
                  reinstall },
                { { { PLAN_TURNED_OFF, "a", NULL, true, NO_SOURCE, "/f", 3 } },
                  1,
                  0,
                  true,
                  "a is turned off by /f:3",
                  "take the line \"alias .. off\" out of that file to have it loaded" },
                { { { PLAN_IMPOSSIBLE, "a", NULL, true, NO_SOURCE } },
                  1,
                  0,
                  false,
                  "a is denied by the configuration",
                  explain },
                /* a broken modules.dep */
                { { { PLAN_IMPOSSIBLE, "a", "a", true, POLICY_BY_RULE } },
                  1,
                  0,
                  true,
                  "a (needed by a, which a needs) is denied by the configuration",
                  explain },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *message = NULL, *hint = NULL;
                PlanOmission omissions[3];
                const Plan plan = { .key = (char *) "k\001",
                                    .omissions = omissions,
                                    .n_omissions = cases[i].n_left };
                const PlanOmission *obstacle;

                for (size_t k = 0; k < cases[i].n_left; k++)
                        omissions[k] = omission_of(cases[i].left + k);
                obstacle = plan_find_obstacle(&plan);
                assert_ptr_equal(obstacle, plan.omissions + cases[i].obstacle);
                assert_int_equal(omission_is_refusal(obstacle), cases[i].refusal);
                assert_ok(plan_explain_obstacle(&plan, obstacle, &message, &hint));
                assert_string_equal(message, cases[i].message);
                assert_string_equal(hint, cases[i].hint);
        }
}

static void test_no_obstacle(void **state) {
        PlanOmission harmless = { .kind = PLAN_NOT_PREFERRED, .module = (char *) "a" };

        assert_null(plan_find_obstacle(&(Plan) {}));
        assert_null(plan_find_obstacle(&(Plan) { .omissions = &harmless, .n_omissions = 1 }));
        assert_false(omission_is_refusal(&harmless));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_kind),
                cmocka_unit_test(test_obstacle),
                cmocka_unit_test(test_no_obstacle),
        };

        return RUN_TESTS(tests);
}
