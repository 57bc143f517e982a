/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/plan/denied-names.h"

#include "fake-modules.h"
#include "policy-bench.h"
#include "scratch.h"
#include "test.h"

#define NOW 1000U

static const FakeTree tree = {
        .modules = (const FakeModule[]) {
                { "base", NULL }, { "middle", "base" }, { "top", "middle base" }, { "alone", NULL },
                { "lower", NULL }, { "upper", "lower" }, {},
        },
        .builtin = (const char *const[]) { "kernel/fs/inside.ko", NULL },
};

#define DENY(what) "- match: {module: " what "}\n  verdict: deny\n  reason: x\n"
#define ALLOW(what) "- match: {module: " what "}\n  verdict: allow\n"

static void test_names(void **state) {
        static const struct {
                const char *rules, *expected; /* sorted, each with a newline */
        } cases[] = {
                { "rules: []\n", "" },
                { "rules:\n" DENY("alone"), "alone\n" },
                { "rules:\n" DENY("[alone, nothing, inside]"), "alone\n" },
                { "rules:\n" DENY("\"*l*\""), "alone\nlower\nmiddle\n" },
                { "rules:\n" ALLOW("alone") DENY("\"*l*\""), "lower\nmiddle\n" },
                { "rules:\n" DENY("alone") ALLOW("alone"), "alone\n" },
                { "mode: audit\nrules:\n" DENY("alone"), "" },
                { "mode: off\nrules:\n" DENY("alone"), "" },
                /* it goes by more than the name */
                { "rules:\n- match: {module: alone, origin: device}\n  verdict: deny\n  reason: x\n", "" },
                { "rules:\n- match: {module: alone, uid: \"!0\"}\n  verdict: deny\n  reason: x\n", "" },
                { "rules:\n- match: {license: Proprietary}\n  verdict: deny\n  reason: x\n", "" },
                { "rules:\n- match: {origin: kernel}\n  verdict: deny\n  reason: x\n", "" },
                { "rules:\n- match: {modalias: \"pci:*\"}\n  verdict: deny\n  reason: x\n", "" },
                /* for some request it is allowed before */
                { "rules:\n- match: {module: alone, origin: device}\n  verdict: allow\n" DENY("\"*l*\""), "lower\nmiddle\n" },
                { "rules:\n- match: {origin: device}\n  verdict: allow\n" DENY("\"*l*\""), "" },
                { "rules:\n- match: {module: alone, origin: device}\n  verdict: audit\n" DENY("alone"), "" },
                { "rules:\n" DENY("alone") "- match: {origin: device}\n  verdict: allow\n", "alone\n" },
                { "rules:\n- match: {origin: device}\n  mode: audit\n  verdict: allow\n" DENY("alone"), "alone\n" },
                { "rules:\n- match: {module: alone, origin: device}\n  verdict: deny\n  reason: x\n" DENY("alone"), "alone\n" },
                /* the default does not ask for what comes along */
                { "default: deny\nrules:\n" ALLOW("top"), "alone\nlower\nupper\n" },
                { "default: deny\nrules:\n" ALLOW("top") DENY("base"), "alone\nbase\nlower\nupper\n" },
                { "default: deny\nrules:\n- match: {module: upper, origin: device}\n  verdict: allow\n", "alone\nbase\nmiddle\ntop\n" },
                { "default: deny\nrules:\n- match: {origin: client}\n  verdict: allow\n", "" },
        };
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(scratch_close) Scratch s;
        const Index *index;

        scratch_open(&s);
        fake_tree_write(&s, &tree);
        assert_ok(index_new(&index, &(IndexSources) { .root = s.dir, .release = FAKE_RELEASE,
                                                      .config_paths = (const char *const[]) { NULL }, .command_line = "" },
                            &problems));
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                Policy *p = policy_bench_make(POLICY_ENFORCE, cases[i].rules),
                       *audited = policy_bench_make(POLICY_AUDIT, cases[i].rules);
                _cleanup_(freep) char *names = NULL, *nothing = NULL, *sorted = NULL;
                static const char *const all[] = { "alone", "base", "lower", "middle", "top", "upper" };
                size_t size;
                FILE *f;

                assert_ok(denied_names_list(p, index, NOW, &names));
                f = open_memstream(&sorted, &size);
                for (size_t k = 0; k < ARRAY_LEN(all); k++) {
                        _cleanup_(freep) char *line = NULL;
                        const char *found;

                        assert_true(asprintf(&line, "%s\n", all[k]) > 0);
                        found = strstr(names, line);
                        if (found && (found == names || found[-1] == '\n'))
                                (void) fputs(line, f);
                }
                (void) fclose(f);
                assert_int_equal(strlen(sorted), strlen(names));
                if (!streq(sorted, cases[i].expected))
                        fail_msg("%s\n%s, not %s", cases[i].rules, sorted, cases[i].expected);

                assert_ok(denied_names_list(audited, index, NOW, &nothing));
                assert_string_equal(nothing, "");
                policy_free(p);
                policy_free(audited);
        }
        index_unref(index);
}

static void test_no_policy(void **state) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(freep) char *names = NULL;
        const Index *index;

        scratch_open(&s);
        assert_ok(index_new(&index, &(IndexSources) { .root = s.dir, .release = FAKE_RELEASE,
                                                      .config_paths = (const char *const[]) { NULL }, .command_line = "" },
                            &problems));
        assert_ok(denied_names_list(NULL, index, NOW, &names));
        assert_string_equal(names, "");
        index_unref(index);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_no_policy),
        };

        return RUN_TESTS(tests);
}
