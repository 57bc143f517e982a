/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "policy-bench.h"
#include "test.h"

#include "common/plan/plan-builder.h"
#include "common/plan/plan.h"
#include "fake-modules.h"

static const FakeTree tree = {
        .modules = (const FakeModule[]) {
                { "top", "middle leaf side" },
                { "middle", "leaf" },
                { "leaf" },
                { "side" },
                { "alone" },
                { "soft_one", "soft_leaf" },
                { "soft_leaf" },
                { "uses_alone", "alone" },
                { "in_kernel_too" },
                {}
        },
        .aliases = (const WriterEntry[]) {
                { "pci:v1*", "top", 0 },
                { "pci:v12*", "alone", 1 },
                { "pci:v*", "top", 2 },
                { "lib_soft", "soft_one", 3 },
                { "lost", "missing", 4 },
                {}
        },
        .builtin = (const char *const[]) { "in_kernel", "in_kernel_too", NULL },
        .builtin_aliases = (const WriterEntry[]) { { "kernel_alias", "in_kernel", 0 }, {} },
};

typedef struct Fixture {
        Scratch scratch;
        const Index *index;
        Plan *plan;
} Fixture;

/* A new index with this text as its only configuration. */
static void configure(Fixture *f, const char *config, const char *command_line) {
        f->index = index_unref(f->index);
        scratch_write(&f->scratch, "conf/a.conf", config);
        assert_ok(index_new(&f->index, &(IndexSources) {
                .root = f->scratch.dir,
                .release = FAKE_RELEASE,
                .config_paths = (const char *const[]) { scratch_path(&f->scratch, "conf"), NULL },
                .command_line = command_line,
        }, NULL));
}

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        scratch_open(&f->scratch);
        fake_tree_write(&f->scratch, &tree);
        configure(f, "", "");
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        plan_free(f->plan);
        index_unref(f->index);
        scratch_close(&f->scratch);
        free(f);
        return 0;
}

/* The daemon relies on these, whatever the input was. */
static void check_shape(const Plan *p) {
        for (size_t i = 0; i < p->n_steps; i++) {
                const PlanStep *s = &p->steps[i];

                assert_non_null(s->module);
                assert_non_null(s->parameters);
                assert_int_equal(s->path != NULL, s->action == PLAN_INSERT);
                assert_int_equal(s->command != NULL, s->action == PLAN_COMMAND);
                assert_int_equal(s->parent == SIZE_MAX, s->reason == PLAN_REQUESTED);
                assert_true(s->parent == SIZE_MAX || s->parent < p->n_steps);
                for (size_t up = i, n = 0; up != SIZE_MAX; up = p->steps[up].parent)
                        assert_true(n++ < p->n_steps);
                for (size_t k = 0; k < s->n_after; k++)
                        assert_true(s->after[k].step < i);
                for (size_t k = 0; k < i; k++)
                        assert_string_not_equal(s->module, p->steps[k].module);
        }
}

/*
 * "module<reason parent[edges] .."; reasons: ! requested, d dependency, < pre, > post; edges: step or step~
 * (order only); a module in brackets is not required.
 */
static char *print_steps(const Plan *p) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (size_t i = 0; i < p->n_steps; i++) {
                const PlanStep *s = &p->steps[i];

                fprintf(f, "%s%s%s%s%c", i > 0 ? " " : "", s->required ? "" : "(", s->module,
                        s->required ? "" : ")", "!d<>"[s->reason]);
                if (s->parent != SIZE_MAX)
                        fputs(p->steps[s->parent].module, f);
                for (size_t k = 0; k < s->n_after; k++)
                        fprintf(f, "%c%s%s", k > 0 ? ',' : '[', p->steps[s->after[k].step].module,
                                s->after[k].required ? "" : "~");
                if (s->n_after > 0)
                        fputc(']', f);
        }
        assert_int_equal(fclose(f), 0);
        return text;
}

/* "kind:module<wanted_by@line! ..", '!' for required */
static char *print_omissions(const Plan *p) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (size_t i = 0; i < p->n_omissions; i++) {
                const PlanOmission *o = &p->omissions[i];

                assert_int_equal(o->ruling.file != NULL, o->ruling.line > 0);
                fprintf(f, "%s%s:%s<%s@%u%s", i > 0 ? " " : "", plan_omission_kind_to_string(o->kind),
                        o->module, o->wanted_by ?: "", o->ruling.line, o->required ? "!" : "");
        }
        assert_int_equal(fclose(f), 0);
        return text;
}

static void expect_request(Fixture *f, const PlanRequest *request, const char *steps,
                           const char *omissions) {
        _cleanup_(freep) char *s = NULL, *o = NULL;

        f->plan = plan_free(f->plan);
        assert_ok(plan_new(&f->plan, f->index, request));
        check_shape(f->plan);
        s = print_steps(f->plan);
        o = print_omissions(f->plan);
        assert_string_equal(s, steps);
        assert_string_equal(o, omissions);
}

static void expect(Fixture *f, const char *key, const char *steps, const char *omissions) {
        expect_request(f, &(PlanRequest) { .key = key, .mode = PLAN_NAMED }, steps, omissions);
}

static void test_dependencies(void **state) {
        Fixture *f = *state;

        expect(f, "alone", "alone!", "");
        expect(f, "top", "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        assert_int_equal(f->plan->n_matches, 1);
        assert_string_equal(f->plan->key, "top");
        assert_null(f->plan->steps[0].alias);
        assert_true(startswith(f->plan->steps[0].path, f->scratch.dir));

        expect(f, "nonsense", "", "");
        assert_int_equal(f->plan->n_matches, 0);
        expect(f, "to[p", "", "");
}

static void test_several_matches(void **state) {
        Fixture *f = *state;

        expect(f, "pci:v12", "sidedtop leafdmiddle middledtop[leaf] top![side,middle] alone!", "");
        assert_int_equal(f->plan->n_matches, 2); /* one of them by two patterns */
        assert_string_equal(f->plan->steps[3].alias, "pci:v1*");
        assert_string_equal(f->plan->steps[4].alias, "pci:v12*");
        assert_null(f->plan->steps[0].alias);
}

static void test_outlives_its_index(void **state) {
        Fixture *f = *state;

        configure(f, "options top a=1\ninstall leaf /bin/x\n", "");
        expect(f, "top", "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        f->index = index_unref(f->index);
        check_shape(f->plan);
        assert_string_equal(f->plan->steps[1].command, "/bin/x");
        assert_string_equal(f->plan->steps[3].parameters, "a=1");
}

static void test_builtin(void **state) {
        Fixture *f = *state;

        configure(f, "softdep alone pre: in_kernel\ninstall in_kernel /bin/false\nblacklist in_kernel\n",
                  "");
        expect(f, "in-kernel", "in_kernel!", "");
        assert_int_equal(f->plan->steps[0].action, PLAN_BUILTIN);
        expect(f, "kernel_alias", "in_kernel!", "");
        expect(f, "in_kernel_too", "in_kernel_too!", "");
        assert_int_equal(f->plan->steps[0].action, PLAN_BUILTIN);
        expect(f, "alone", "alone!", "");

        configure(f, "softdep alone pre: in_kernel\nsoftdep in_kernel pre: side\n", ""); /* as kmod has it */
        expect(f, "alone", "(side)<alone alone!", "");
}

static void test_blacklist(void **state) {
        Fixture *f = *state;

        configure(f, "blacklist top\nblacklist leaf\nalias xyz top\n", "");
        expect(f, "top", "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        expect(f, "pci:v12", "alone!", "blacklisted:top<@1");
        assert_int_equal(f->plan->n_matches, 2);
        expect(f, "pci:v1", "", "blacklisted:top<@1!");
        expect(f, "xyz", "", "blacklisted:top<@1!");

        expect_request(f, &(PlanRequest) { .key = "top", .mode = PLAN_AUTOLOAD }, "", "blacklisted:top<@1!");
        expect_request(f, &(PlanRequest) { .key = "middle", .mode = PLAN_AUTOLOAD },
                       "leafdmiddle middle![leaf]", ""); /* never what is only needed */
}

static void test_softdeps(void **state) {
        Fixture *f = *state;

        configure(f, "softdep alone pre: lib-soft post: side nothing-at-all\n", "");
        expect(f, "alone",
               "(soft_leaf)dsoft_one (soft_one)<alone[soft_leaf] alone![soft_one~] (side)>alone[alone~]",
               "softdep_missing:nothing_at_all<alone@1");

        configure(f, "softdep leaf pre: alone\nsoftdep l* post: soft_leaf\n", ""); /* of a dependency */
        expect(f, "top",
               "sidedtop (alone)<leaf leafdmiddle[alone~] (soft_leaf)>leaf[leaf~] middledtop[leaf] "
               "top![side,middle]",
               "");

        configure(f, "softdep top pre: leaf\n", ""); /* is a dependency all the same */
        expect(f, "top", "sidedtop leafdmiddle middledtop[leaf] top![side,middle,leaf~]", "");

        configure(f, "softdep alone pre: lost lost2\nalias lost2 missing\nweakdep alone side\n", "");
        expect(f, "alone", "alone!", "softdep_missing:missing<alone@1");
}

static void test_softdep_loops(void **state) {
        Fixture *f = *state;

        configure(f, "softdep alone pre: side\nsoftdep side pre: alone\n", "");
        expect(f, "alone", "(side)<alone alone![side~]", "softdep_loop:alone<side@2");

        configure(f, "softdep alone pre: alone\n", "");
        expect(f, "alone", "alone!", "softdep_loop:alone<alone@1");

        configure(f, "softdep alone pre: uses_alone side\n", ""); /* leads back through a dependency */
        expect(f, "alone", "(side)<alone alone![side~] (uses_alone)<alone[alone]",
               "softdep_loop:uses_alone<alone@1");

        configure(f, "softdep leaf pre: top\n", ""); /* whose dependency it is */
        expect(f, "top", "sidedtop leafdmiddle middledtop[leaf] top![side,middle]",
               "softdep_loop:top<leaf@1");
        expect(f, "leaf", "leaf! (side)dtop (middle)dtop[leaf] (top)<leaf[side,middle]",
               "softdep_loop:top<leaf@1");

        configure(f, "softdep leaf post: top\n", ""); /* that is no loop */
        expect(f, "top", "sidedtop leafdmiddle middledtop[leaf] top![side,middle,leaf~]", "");

        configure(f, "softdep alone post: side\nsoftdep side post: alone\n", "");
        expect(f, "alone", "alone! (side)>alone[alone~]", "");
}

static void test_long_softdep_chain(void **state) {
        enum { N = 3000 };
        Fixture *f = *state;
        char *config = NULL;
        size_t size;
        FILE *c = open_memstream(&config, &size);

        assert_non_null(c);
        for (unsigned i = 0; i < N; i++)
                fprintf(c, "install m%u /bin/x\nsoftdep m%u pre: m%u\n", i, i, (i + 1) % N);
        assert_int_equal(fclose(c), 0);
        configure(f, config, "");
        free(config);

        assert_ok(plan_new(&f->plan, f->index, &(PlanRequest) { .key = "m0", .mode = PLAN_NAMED }));
        assert_int_equal(f->plan->n_steps, N);
        assert_true(f->plan->steps[63].module[0] == 'm');
        for (size_t i = 0; i < f->plan->n_steps; i++)
                for (size_t k = 0; k < f->plan->steps[i].n_after; k++)
                        assert_true(f->plan->steps[i].after[k].step < i);
}

static void expect_both(Fixture *f, const PlanRequest *request, const char *ours, const char *theirs) {
        PlanRequest compat = *request;
        _cleanup_(freep) char *s = NULL, *t = NULL;

        compat.compat_kmod = true;
        f->plan = plan_free(f->plan);
        assert_ok(plan_new(&f->plan, f->index, request));
        s = print_steps(f->plan);
        assert_string_equal(s, ours);

        f->plan = plan_free(f->plan);
        assert_ok(plan_new(&f->plan, f->index, &compat));
        check_shape(f->plan);
        t = print_steps(f->plan);
        assert_string_equal(t, theirs);
}

static void test_rules_of_kmod(void **state) {
        Fixture *f = *state;

        configure(f, "softdep alone pre: side\nsoftdep alone post: leaf\n", ""); /* the first line only */
        expect_both(f, &(PlanRequest) { .key = "alone" }, "(side)<alone alone![side~] (leaf)>alone[alone~]",
                    "(side)<alone alone![side~]");
        configure(f, "softdep a* pre:\nsoftdep alone pre: side\n", ""); /* which may be empty */
        expect_both(f, &(PlanRequest) { .key = "alone" }, "(side)<alone alone![side~]", "alone!");

        configure(f, "install alone /bin/false\n", ""); /* a command like any other */
        expect_both(f, &(PlanRequest) { .key = "alone" }, "", "alone!");
        assert_int_equal(f->plan->steps[0].action, PLAN_COMMAND);
        configure(f, "install alone /bin/false\nsoftdep alone pre: side\n", ""); /* overlooked */
        expect_both(f, &(PlanRequest) { .key = "uses_alone" }, "",
                    "(side)<alone aloneduses_alone[side~] uses_alone![alone]");
        assert_int_equal(f->plan->steps[1].action, PLAN_INSERT);
        configure(f, "install alone /bin/x\nsoftdep alone pre: nothing_at_all\n", ""); /* not beside that */
        expect_both(f, &(PlanRequest) { .key = "alone" }, "alone!", "alone!");
        assert_int_equal(f->plan->steps[0].action, PLAN_COMMAND);
        configure(f, "install alone /bin/false\n", "");
        expect_both(f, &(PlanRequest) { .key = "alone", .ignore_install = true }, "", "alone!");

        configure(f, "", "modprobe.blacklist=soft-one\n");
        expect_both(f, &(PlanRequest) { .key = "lib_soft", .mode = PLAN_NAMED }, "",
                    "soft_leafdsoft_one soft_one![soft_leaf]");
        configure(f, "blacklist soft-one\n", "modprobe.blacklist=soft-one\n"); /* another line says so too */
        expect_both(f, &(PlanRequest) { .key = "lib_soft", .mode = PLAN_NAMED }, "", "");
}

static void test_install_commands(void **state) {
        Fixture *f = *state;

        configure(f, "install leaf /bin/echo $CMDLINE_OPTS\noptions leaf a=1\nsoftdep leaf pre: alone\n"
                     "install command-only /bin/x\nremove removed /bin/z\ninstall pattern* /bin/y\n", "");
        expect(f, "middle", "(alone)<leaf leafdmiddle[alone~] middle![leaf]", ""); /* beside a softdep, too */
        assert_int_equal(f->plan->steps[1].action, PLAN_COMMAND);
        assert_string_equal(f->plan->steps[1].command, "/bin/echo $CMDLINE_OPTS");
        assert_int_equal(f->plan->steps[1].command_line, 1);
        assert_string_equal(f->plan->steps[1].parameters, "a=1");

        expect(f, "command_only", "command_only!", "");
        assert_int_equal(f->plan->steps[0].action, PLAN_COMMAND);
        expect(f, "removed", "", "module_missing:removed<@5!");
        expect(f, "pattern_x", "", "");

        expect_request(f, &(PlanRequest) { .key = "leaf", .ignore_install = true, .mode = PLAN_NAMED },
                       "leaf!", "");
        assert_int_equal(f->plan->steps[0].action, PLAN_INSERT);
        expect_request(f, &(PlanRequest) { .key = "middle", .ignore_install = true, .mode = PLAN_NAMED },
                       "(alone)<leaf leafdmiddle[alone~] middle![leaf]", "");
        assert_int_equal(f->plan->steps[1].action, PLAN_COMMAND); /* only for what was named */
}

static void test_denial(void **state) {
        Fixture *f = *state;

        configure(f, "install alone /bin/false\nsoftdep alone pre: side\n", "");
        expect(f, "alone", "", "denied:alone<@1!");
        assert_int_equal(f->plan->n_matches, 1);
        expect(f, "pci:v12", "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "denied:alone<@1");
        expect(f, "uses_alone", "", "denied:alone<uses_alone@1! impossible:uses_alone<@1!");
        expect_request(f, &(PlanRequest) { .key = "alone", .ignore_install = true }, "", "denied:alone<@1!");

        configure(f, "install lea? true\n", "");
        expect(f, "top", "",
               "denied:leaf<middle@1! impossible:middle<top@1! impossible:top<@1!");
        expect(f, "side", "side!", "");

        configure(f, "softdep side pre: alone uses_alone\ninstall alone /bin/true\n", ""); /* harmless */
        expect(f, "side", "side!",
               "denied:alone<side@2 denied:alone<uses_alone@2 impossible:uses_alone<side@2");

        configure(f, "install net-pf-31 /bin/true\nalias net-pf-31 bluetooth\nalias x alone\n"
                     "install alone /bin/false", "");
        expect(f, "net-pf-31", "", "module_missing:bluetooth<@2!"); /* an alias comes first */
        expect(f, "x", "", "denied:alone<@4!");
        configure(f, "install net-pf-31 /bin/true\n", "");
        expect(f, "net-pf-31", "", "denied:net_pf_31<@1!");
}

static void test_missing(void **state) {
        Fixture *f = *state;

        scratch_remove(&f->scratch, FAKE_DIR "/kernel/leaf.ko");
        expect(f, "leaf", "", "file_missing:leaf<@0!");
        expect(f, "top", "", "file_missing:leaf<middle@0! impossible:middle<top@0! impossible:top<@0!");
        expect(f, "pci:v12", "alone!",
               "file_missing:leaf<middle@0 impossible:middle<top@0 impossible:top<@0");
        expect(f, "lost", "", "module_missing:missing<@0!");
        assert_int_equal(f->plan->n_matches, 1);

        configure(f, "install leaf /bin/x\nalias a missing\n", "");
        expect(f, "middle", "leafdmiddle middle![leaf]", ""); /* a command needs no file */
        expect(f, "a", "", "module_missing:missing<@2!");
}

static void test_parameters(void **state) {
        Fixture *f = *state;
        const PlanStep *s;

        configure(f, "options top   a=1\tb=\"x y\" \noptions alone n\noptions leaf l=1\noptions t* z=1\n"
                     "options pci:v12 alias=key\noptions pci:v12* never=1\noptions top c=2\n"
                     "alias named-* top\noptions named-* pattern=1\n",
                  "top.d=4 top.e leaf.m=\"q r\"");
        expect_request(
                f, &(PlanRequest) { .key = "top", .mode = PLAN_NAMED, .parameters = "own=1 two=\"2 3\"" },
                "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        s = &f->plan->steps[3];
        assert_string_equal(s->parameters, "a=1 b=\"x y\"  c=2 d=4 e own=1 two=\"2 3\"");
        assert_int_equal(s->n_parameter_origins, 7);
        assert_string_equal(s->parameter_origins[1].text, "b=\"x y\"");
        assert_int_equal(s->parameter_origins[1].line, 1);
        assert_int_equal(s->parameter_origins[2].line, 7);
        assert_string_equal(s->parameter_origins[3].file, "/proc/cmdline");
        assert_string_equal(s->parameter_origins[4].text, "e");
        assert_null(s->parameter_origins[6].file);
        assert_string_equal(s->parameter_origins[6].text, "two=\"2 3\"");
        assert_string_equal(f->plan->steps[1].parameters, "l=1 m=\"q r\"");
        assert_string_equal(f->plan->steps[0].parameters, "");
        assert_int_equal(f->plan->steps[0].n_parameter_origins, 0);

        expect(f, "pci:v12", "sidedtop leafdmiddle middledtop[leaf] top![side,middle] alone!", "");
        assert_string_equal(f->plan->steps[3].parameters, "a=1 b=\"x y\"  alias=key c=2 d=4 e");
        assert_string_equal(f->plan->steps[4].parameters, "n alias=key");
        expect(f, "named-x", "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        assert_string_equal(f->plan->steps[3].parameters, "a=1 b=\"x y\"  c=2 pattern=1 d=4 e");
}

static void expect_words(const PlanWords *w, PlanWordsKind kind, const char *text, const char *name,
                         const char *file) {
        assert_int_equal(w->kind, kind);
        assert_string_equal(w->text, text);
        assert_true(streq_ptr(w->name, name));
        if (!file || !w->file)
                assert_true(streq_ptr(w->file, file));
        else
                assert_non_null(strstr(w->file, file));
}

/* Who wrote each of the parameters, as lkmd-loader wants it proved. */
static void test_words(void **state) {
        static const char rules[] =
                "rules:\n"
                "- match: {module: top}\n  options: [r=1]\n"
                "- match: {module: top, uid: 1000}\n  verdict: allow\n  parameters: [\"own=[0-9]\", x]\n";
        Fixture *f = *state;
        _cleanup_(policy_freep) Policy *policy = NULL;
        PolicyRequester member = { .origin = ORIGIN_CLIENT, .has_uid = true, .uid = 1000 };
        PlanRequest request = { .key = "top", .mode = PLAN_NAMED, .parameters = "own=1 two=\"2 3\"" };
        const PlanWords *w;

        policy = policy_bench_make(POLICY_ENFORCE, rules);
        request.policy = policy;

        configure(f, "options top a=1 b=2\nalias other top\noptions other c=3\n", "top.d=4");
        expect_request(f, &request, "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        assert_int_equal(f->plan->steps[3].n_words, 5);
        w = f->plan->steps[3].words;
        expect_words(w, PLAN_WORDS_OF_LINE, "a=1 b=2", "top", "conf/a.conf");
        assert_null(w->alias_file);
        expect_words(w + 1, PLAN_WORDS_OF_KERNEL_LINE, "d=4", "top", "/proc/cmdline");
        expect_words(w + 2, PLAN_WORDS_OF_RULE, "r=1", NULL, "FILE.yaml");
        expect_words(w + 3, PLAN_WORDS_OF_ROOT, "own=1", "top", NULL);
        expect_words(w + 4, PLAN_WORDS_OF_ROOT, "two=\"2 3\"", "top", NULL);

        request.requester = &member;
        expect_request(f, &request, "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        w = f->plan->steps[3].words;
        expect_words(w + 3, PLAN_WORDS_ALLOWED, "own=1", "own=[0-9]", "FILE.yaml");
        expect_words(w + 4, PLAN_WORDS_NOT_ALLOWED, "two=\"2 3\"", "top", NULL);
        member.uid = 1001;              /* the rule that has the patterns is not about this one */
        expect_request(f, &request, "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        expect_words(f->plan->steps[3].words + 3, PLAN_WORDS_NOT_ALLOWED, "own=1", "top", NULL);
        member.uid = 0;
        expect_request(f, &request, "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        expect_words(f->plan->steps[3].words + 3, PLAN_WORDS_OF_ROOT, "own=1", "top", NULL);

        request.key = "other";
        expect_request(f, &request, "sidedtop leafdmiddle middledtop[leaf] top![side,middle]", "");
        w = f->plan->steps[3].words;
        expect_words(w + 1, PLAN_WORDS_OF_LINE, "c=3", "other", "conf/a.conf");
        assert_non_null(strstr(w[1].alias_file, "conf/a.conf"));
        expect_words(w + 4, PLAN_WORDS_OF_ROOT, "own=1", "other", NULL);
        assert_non_null(strstr(w[4].alias_file, "conf/a.conf"));
        request.key = "pci:v12";
        expect_request(f, &request, "sidedtop leafdmiddle middledtop[leaf] top![side,middle] alone!", "");
        w = f->plan->steps[3].words;
        assert_non_null(strstr(w[3].alias_file, "/modules.alias"));
}

static void test_hostile_keys(void **state) {
        static const char *const keys[] = {
                "", " ", "\n", "\"'`$(x)", "\xff\xfe", "%s%n", "*", "?", "[", "[]", "../../x",
        };
        Fixture *f = *state;
        char key[5000];

        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
                f->plan = plan_free(f->plan);
                assert_ok(plan_new(&f->plan, f->index, &(PlanRequest) { .key = keys[i] }));
                check_shape(f->plan);
        }

        memset(key, '*', sizeof(key));
        key[4096] = '\0';
        f->plan = plan_free(f->plan);
        assert_ok(plan_new(&f->plan, f->index, &(PlanRequest) { .key = key }));
        key[4096] = '*';
        key[4097] = '\0';
        f->plan = plan_free(f->plan);
        assert_int_equal(plan_new(&f->plan, f->index, &(PlanRequest) { .key = key }), -ENAMETOOLONG);
        assert_null(f->plan);
}

/* A modules.dep in which modules need each other: a plan all the same, and a valid one. */
static void test_circle_in_modules_dep(void **state) {
        static const FakeModule circle[] = {
                { "a", "b c a" }, { "b", "c a" }, { "c", "a b" }, { "d", "d" }, { "e", "a a b" }, {}
        };
        Fixture *f = *state;

        fake_tree_write(&f->scratch, &(FakeTree) { .modules = circle });
        configure(f, "softdep ? pre: a e\n", "");
        for (const char *key = "abcde"; *key; key++) {
                f->plan = plan_free(f->plan);
                assert_ok(plan_new(&f->plan, f->index,
                                   &(PlanRequest) { .key = (const char[]) { *key, '\0' } }));
                check_shape(f->plan);
                assert_true(f->plan->n_steps >= 1);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_dependencies, setup, teardown),
                cmocka_unit_test_setup_teardown(test_several_matches, setup, teardown),
                cmocka_unit_test_setup_teardown(test_outlives_its_index, setup, teardown),
                cmocka_unit_test_setup_teardown(test_builtin, setup, teardown),
                cmocka_unit_test_setup_teardown(test_blacklist, setup, teardown),
                cmocka_unit_test_setup_teardown(test_softdeps, setup, teardown),
                cmocka_unit_test_setup_teardown(test_softdep_loops, setup, teardown),
                cmocka_unit_test_setup_teardown(test_long_softdep_chain, setup, teardown),
                cmocka_unit_test_setup_teardown(test_install_commands, setup, teardown),
                cmocka_unit_test_setup_teardown(test_denial, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rules_of_kmod, setup, teardown),
                cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_parameters, setup, teardown),
                cmocka_unit_test_setup_teardown(test_words, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hostile_keys, setup, teardown),
                cmocka_unit_test_setup_teardown(test_circle_in_modules_dep, setup, teardown),
        };

        return RUN_TESTS(tests);
}
