/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/policy-files/policy-sources.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/limits.h"
#include "common/words/kernel-command-line.h"
#include "scratch.h"
#include "test.h"

/* Three directories of policies and two of lists below a root of the test's own. */
typedef struct Fixture {
        Scratch scratch;
        PolicySources sources;
        ProblemList problems;
        Policy *policy;
        bool broken;
} Fixture;

static int set_up(void **state) {
        static const char *const dirs[] = { "/etc/policy.d", "/run/policy.d", "/lib/policy.d", NULL };
        static const char *const list_dirs[] = { "/etc/lists", "/share/lists", NULL };
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        scratch_open(&f->scratch);
        f->sources = (PolicySources) {
                .root = f->scratch.dir,
                .dirs = dirs,
                .list_dirs = list_dirs,
                .grants_file = "/run/state/grants.yaml",
                .command_line = "",
                .trusted_only = true,
        };
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        Fixture *f = *state;

        policy_free(f->policy);
        problem_list_clear(&f->problems);
        scratch_close(&f->scratch);
        free(f);
        return 0;
}

/* A file with one rule, whose id is @id. */
static void write_rule(Fixture *f, const char *name, const char *id) {
        char text[256];

        snprintf(text, sizeof(text), "version: 1\nrules: [{id: %s, match: {module: m}, verdict: deny, reason: r}]\n",
                 id);
        scratch_write(&f->scratch, name, text);
}

static void write_list(Fixture *f, const char *name, const char *id) {
        char text[256];

        snprintf(text, sizeof(text),
                 "version: 1\nrules: [{id: %s, match: {module: m}, verdict: deny, reason: r, source: s}]\n",
                 id);
        scratch_write(&f->scratch, name, text);
}

static void show(const Fixture *f) {
        for (size_t i = 0; i < f->problems.n_items; i++)
                print_error("%s:%u:%u: %s\n", f->problems.items[i].file, f->problems.items[i].line,
                            f->problems.items[i].column, f->problems.items[i].message);
}

static void load(Fixture *f) {
        PolicyOptions options = { .mode = POLICY_ENFORCE };

        f->policy = policy_free(f->policy);
        problem_list_clear(&f->problems);
        assert_ok(policy_sources_read(&f->policy, &f->sources, &options, &f->broken, &f->problems));
}

/* No file is broken; there may be problems all the same. */
static void load_usable(Fixture *f) {
        load(f);
        assert_false(f->broken);
}

/* Some file is broken. */
static void load_broken(Fixture *f) {
        load(f);
        assert_true(f->broken);
}

/* The ids of all rules, in order. */
static void expect_rules(Fixture *f, const char *expected) {
        char found[1024] = "";

        for (size_t i = 0; i < policy_count_rules(f->policy); i++)
                snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i > 0 ? " " : "",
                         policy_get_rule(f->policy, i)->id ?: "-");
        if (!streq(found, expected))
                show(f);
        assert_string_equal(found, expected);
}

static void expect_clean(Fixture *f, const char *rules) {
        load(f);
        if (f->problems.n_items > 0 || f->broken)
                show(f);
        assert_int_equal(f->problems.n_items, 0);
        assert_false(f->broken);
        expect_rules(f, rules);
}

static void expect_problem(Fixture *f, const char *name, unsigned line, unsigned column,
                           const char *message) {
        for (size_t i = 0; i < f->problems.n_items; i++) {
                const Problem *p = f->problems.items + i;

                if (startswith(p->file, f->scratch.dir) &&
                    streq(p->file + strlen(f->scratch.dir) + 1, name) && p->line == line &&
                    p->column == column && strstr(p->message, message))
                        return;
        }
        show(f);
        fail_msg("no problem of %s:%u:%u: %s", name, line, column, message);
}

/* ----------------------------------------------------------------------------------------------- order */

static void test_nothing(void **state) {
        Fixture *f = *state;

        expect_clean(f, "");
        assert_true(policy_is_empty(f->policy));
        scratch_mkdir(&f->scratch, "etc/policy.d");
        expect_clean(f, "");
}

static void test_order(void **state) {
        Fixture *f = *state;

        write_rule(f, "lib/policy.d/00-first.yaml", "lib-00");
        write_rule(f, "run/policy.d/50.yaml", "run-50");
        write_rule(f, "etc/policy.d/90.yaml", "etc-90");
        write_rule(f, "etc/policy.d/10.yaml", "etc-10");
        write_rule(f, "run/state/grants.yaml", "grant");
        f->sources.command_line = "quiet lkmd.deny=x";
        expect_clean(f, "- grant etc-10 etc-90 run-50 lib-00");
        assert_string_equal(policy_get_file(f->policy, 0)->path, KERNEL_COMMAND_LINE_FILE);
        assert_int_equal(policy_get_rule(f->policy, 0)->source, POLICY_BY_COMMAND_LINE);
        assert_int_equal(policy_get_rule(f->policy, 1)->source, POLICY_BY_GRANT);
        assert_int_equal(policy_get_rule(f->policy, 2)->source, POLICY_BY_RULE);
        assert_string_equal(policy_get_file(f->policy, 2)->path,
                            scratch_path(&f->scratch, "etc/policy.d/10.yaml"));

        f->sources.grants_file = "";
        expect_clean(f, "- etc-10 etc-90 run-50 lib-00");
}

static void test_hidden(void **state) {
        Fixture *f = *state;

        write_rule(f, "lib/policy.d/a.yaml", "lib-a");
        write_rule(f, "run/policy.d/a.yaml", "run-a");
        write_rule(f, "lib/policy.d/b.yaml", "lib-b");
        write_rule(f, "lib/policy.d/c.yaml", "lib-c");
        write_rule(f, "etc/elsewhere", "etc-c");
        expect_clean(f, "run-a lib-b lib-c");

        scratch_link(&f->scratch, "etc/policy.d/b.yaml", "/dev/null");
        scratch_link(&f->scratch, "etc/policy.d/c.yaml", "../elsewhere");
        expect_clean(f, "etc-c run-a");

        write_rule(f, "etc/policy.d/.hidden.yaml", "hidden");
        write_rule(f, "etc/policy.d/old.yaml~", "old");
        write_rule(f, "etc/policy.d/README", "readme");
        write_rule(f, "etc/policy.d/.yaml", "nameless");
        expect_clean(f, "etc-c run-a");
}

static void test_wrong_suffix(void **state) {
        Fixture *f = *state;

        write_rule(f, "etc/policy.d/a.yml", "a");
        write_rule(f, "etc/policy.d/b.yaml", "b");
        load(f);
        expect_problem(f, "etc/policy.d/a.yml", 0, 0, "it is not used: its name would have to end in .yaml");
        assert_int_equal(f->problems.n_items, 1);
        assert_false(f->broken);
        expect_rules(f, "b");
}

/* ----------------------------------------------------------------------------------------------- lists */

static void test_lists(void **state) {
        Fixture *f = *state;

        write_list(f, "share/lists/one.yaml", "one");
        write_list(f, "share/lists/two.yaml", "share-two");
        write_list(f, "etc/lists/two.yaml", "etc-two");
        scratch_write(&f->scratch, "etc/policy.d/a.yaml",
                      "version: 1\ninclude: [two, one]\nrules: [{id: a, verdict: allow}]\nmode: audit\n");
        scratch_write(&f->scratch, "etc/policy.d/b.yaml",
                      "version: 1\ninclude: one\nrules: [{id: b, verdict: allow}]\n");
        expect_clean(f, "a etc-two one b");
        assert_int_equal(policy_get_rule(f->policy, 1)->source, POLICY_BY_LIST);
        assert_string_equal(policy_get_rule(f->policy, 1)->reason, "r (s)");
        assert_int_equal(policy_get_rule(f->policy, 2)->mode,
                         POLICY_AUDIT); /* tried out with who includes it */
        assert_int_equal(policy_get_rule(f->policy, 3)->mode, POLICY_ENFORCE);
}

static void test_unknown_lists(void **state) {
        Fixture *f = *state;

        scratch_write(
                &f->scratch, "etc/policy.d/a.yaml",
                "version: 1\ninclude: [cis-srever, nothing-like-it]\nrules: [{id: a, verdict: allow}]\n");
        load_broken(f);
        expect_problem(f, "etc/policy.d/a.yaml", 2, 11, "there is no list \"cis-srever\"");
        expect_rules(f, "a");

        write_list(f, "share/lists/cis-server.yaml", "one");
        write_list(f, "etc/lists/abc.yaml", "two");
        load(f);
        expect_problem(f, "etc/policy.d/a.yaml", 2, 11,
                       "there is no list \"cis-srever\"; did you mean \"cis-server\"?");
        expect_problem(f, "etc/policy.d/a.yaml", 2, 23,
                       "there is no list \"nothing-like-it\"; there are abc, cis-server");
}

static void test_broken_list(void **state) {
        Fixture *f = *state;

        scratch_write(&f->scratch, "share/lists/one.yaml", "version: 1\nrules: [{id: one, match: {module: m}, verdict: deny}]\n");
        scratch_write(&f->scratch, "etc/policy.d/a.yaml",
                      "version: 1\ninclude: one\nrules: [{id: a, verdict: allow}]\n");
        load_broken(f);
        expect_problem(f, "share/lists/one.yaml", 2, 9, "a rule of a list needs a \"reason\"");
        expect_rules(f, "a");
}

/* --------------------------------------------------------------------------------------------- trouble */

static void test_broken(void **state) {
        PolicyOptions options = { .mode = POLICY_ENFORCE };
        Fixture *f = *state;
        Policy *p = NULL;

        scratch_write(&f->scratch, "etc/policy.d/a.yaml",
                      "version: 1\ndefault: deny\nrules: [{id: a, verdict: allow}]\n");
        scratch_write(&f->scratch, "lib/policy.d/c.yaml", "version: 1\ndefault: deny\n");
        expect_clean(f, "a");
        assert_int_equal(policy_get_default(f->policy, NULL).verdict, POLICY_DENY);
        assert_ok(policy_sources_read(&p, &f->sources, &options, NULL, NULL));
        policy_free(p);

        scratch_write(&f->scratch, "run/policy.d/b.yaml", "version: 1\nrules: [{verdict: denied}]\n");
        load_broken(f);
        expect_problem(f, "run/policy.d/b.yaml", 2, 19, "\"denied\": expected allow, deny or audit");
        expect_rules(f, "a");
        assert_int_equal(policy_get_default(f->policy, NULL).verdict, POLICY_ALLOW);

        p = (Policy *) f;
        assert_int_equal(policy_sources_read(&p, &f->sources, &options, NULL, &f->problems), -EBADMSG);
        assert_ptr_equal(p, f); /* untouched */

        write_rule(f, "etc/policy.d/b.yaml", "b"); /* hides it */
        expect_clean(f, "a b");
        assert_int_equal(policy_get_default(f->policy, NULL).verdict, POLICY_DENY);
}

static void test_bad_grants(void **state) {
        Fixture *f = *state;

        write_rule(f, "etc/policy.d/a.yaml", "a");
        scratch_write(&f->scratch, "run/state/grants.yaml", "version: 1\nmode: off\n");
        load(f);
        assert_false(f->broken);   /* the rules are as they were written */
        expect_problem(f, "run/state/grants.yaml", 2, 1, "key \"mode\" has no meaning in the file of grants");
        expect_rules(f, "a");

        scratch_write(&f->scratch, "run/state/grants.yaml",
                      "version: 1\nrules:\n"
                      "- {id: wide, match: {module: \"!x\"}, verdict: deny, reason: r}\n"
                      "- {id: g, match: {module: m}, verdict: deny, reason: r}\n");
        load_usable(f);
        expect_problem(f, "run/state/grants.yaml", 3, 3, "a grant is for one module or one glob");
        expect_rules(f, "g a");
}

/* What lkmctl reads holds no longer than in lkmd. */
static void test_grants_of_this_boot(void **state) {
        static const BootMoment now = { "11111111-2222-3333-4444-555555555555", 5000000 };
        Fixture *f = *state;

        f->sources.boot = &now;
        scratch_write(&f->scratch, "run/state/grants.yaml",
                      "version: 1\nboot: 11111111-2222-3333-4444-555555555555\nrules:\n"
                      "- {id: g, match: {module: m}, verdict: allow, reason: r, expires: 2999-01-01, uptime: 5.000001}\n"
                      "- {id: h, match: {module: m}, verdict: allow, reason: r, expires: 2999-01-01, uptime: 5.000000}\n");
        expect_clean(f, "g");
        f->sources.boot = &(BootMoment) { "21111111-2222-3333-4444-555555555555", 0 };
        load(f);
        expect_problem(f, "run/state/grants.yaml", 4, 3, "it was given in another boot");
        expect_rules(f, "");
}

static void set_mode(Fixture *f, const char *name, mode_t mode) {
        assert_int_equal(chmod(scratch_path(&f->scratch, name), mode), 0);
}

static void test_trust(void **state) {
        Fixture *f = *state;

        write_rule(f, "etc/policy.d/a.yaml", "a");
        write_rule(f, "etc/policy.d/b.yaml", "b");
        write_rule(f, "run/policy.d/c.yaml", "c");
        set_mode(f, "etc/policy.d/b.yaml", 0646);
        load_broken(f);
        expect_problem(f, "etc/policy.d/b.yaml", 0, 0, "chmod go-w");
        expect_rules(f, "a c");
        set_mode(f, "etc/policy.d/b.yaml", 0644);

        set_mode(f, "etc/policy.d", 0777);
        load_broken(f);
        expect_problem(f, "etc/policy.d", 0, 0, "others than its owner can write it");
        expect_rules(f, "c");
        f->sources.trusted_only = false;
        expect_clean(f, "a b c");
        f->sources.trusted_only = true;
        set_mode(f, "etc/policy.d", 0755);
        expect_clean(f, "a b c");
}

/* Who can write a directory above, or where a link leads to, can put other files in the place of these. */
static void test_trust_in_directories(void **state) {
        static const struct {
                const char *name;
                mode_t mode;
                bool is_fine;
        } cases[] = {
                { "etc", 0777, false },           { "etc", 0775, false },         { "etc", 01777, true },
                { "etc/policy.d", 0777, false },  { "etc/policy.d", 01777, false }, { "etc/policy.d", 0700, true },
                { "run", 0757, false },           { "lib", 0777, false },         { "lib/policy.d", 0775, false },
                { "", 0777, false },              { "", 0755, true },
        };
        Fixture *f = *state;

        write_rule(f, "etc/policy.d/a.yaml", "a");
        scratch_mkdir(&f->scratch, "run");
        scratch_mkdir(&f->scratch, "lib/policy.d");
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const char *path = *cases[i].name ? scratch_path(&f->scratch, cases[i].name) : f->scratch.dir;
                struct stat st;

                assert_int_equal(stat(path, &st), 0);
                assert_int_equal(chmod(path, cases[i].mode), 0);
                load(f);
                if (f->broken == cases[i].is_fine)
                        fail_msg("%s with %o", cases[i].name, (unsigned) cases[i].mode);
                if (!cases[i].is_fine && *cases[i].name)
                        expect_problem(f, cases[i].name, 0, 0, "chmod go-w");
                assert_int_equal(chmod(path, st.st_mode & 07777), 0);
        }
        expect_clean(f, "a");

        scratch_mkdir(&f->scratch, "elsewhere/deep"); /* a directory, and a file, by links */
        write_rule(f, "elsewhere/deep/b.yaml", "b");
        scratch_link(&f->scratch, "run/policy.d", scratch_path(&f->scratch, "elsewhere/deep"));
        expect_clean(f, "a b");
        set_mode(f, "elsewhere", 0777);
        load_broken(f);
        expect_problem(f, "elsewhere", 0, 0, "nothing below it is used");
        expect_rules(f, "a");
        scratch_remove(&f->scratch, "run/policy.d");
        scratch_link(&f->scratch, "etc/policy.d/l.yaml", scratch_path(&f->scratch, "elsewhere/deep/b.yaml"));
        load_broken(f);
        expect_problem(f, "elsewhere", 0, 0, "nothing below it is used");
        expect_rules(f, "a");
        set_mode(f, "elsewhere", 0755);
        expect_clean(f, "a b");
}

static void test_trust_in_lists_and_grants(void **state) {
        Fixture *f = *state;

        write_rule(f, "run/state/grants.yaml", "g");
        write_list(f, "share/lists/one.yaml", "one");
        scratch_write(&f->scratch, "etc/policy.d/a.yaml",
                      "version: 1\ninclude: one\nrules: [{id: a, verdict: allow}]\n");
        expect_clean(f, "g a one");

        set_mode(f, "share/lists", 0775);
        load_broken(f);
        expect_problem(f, "share/lists", 0, 0, "chmod go-w");
        expect_rules(f, "g a");
        set_mode(f, "share/lists", 0755);
        set_mode(f, "share/lists/one.yaml", 0666);
        load_broken(f);
        expect_rules(f, "g a");
        set_mode(f, "share/lists/one.yaml", 0644);

        set_mode(f, "run/state/grants.yaml", 0666);
        load_usable(f);
        expect_problem(f, "run/state/grants.yaml", 0, 0, "others than its owner can write it");
        expect_rules(f, "a one");
        set_mode(f, "run/state/grants.yaml", 0644);
        if (geteuid() != 0)
                return;

        assert_int_equal(chown(scratch_path(&f->scratch, "run/state/grants.yaml"), 1234, 0), 0);
        load_usable(f);
        expect_problem(f, "run/state/grants.yaml", 0, 0, "it belongs to another user");
        assert_int_equal(chown(scratch_path(&f->scratch, "run/state"), 1234, 0), 0);
        expect_clean(f, "g a one");
        assert_int_equal(chown(scratch_path(&f->scratch, "etc/policy.d/a.yaml"), 1234, 0), 0);
        load(f);
        expect_problem(f, "etc/policy.d/a.yaml", 0, 0, "chown root '");
        expect_rules(f, "g");
}

/* Root reads them too, where user lkmd may put anything: nothing of it leads elsewhere. */
static void test_links_to_grants(void **state) {
        Fixture *f = *state;

        for (int trusted = 0; trusted < 2; trusted++) {
                f->sources.trusted_only = trusted;
                write_rule(f, "secret/grants.yaml", "s");
                scratch_mkdir(&f->scratch, "run/state");
                scratch_link(&f->scratch, "run/state/grants.yaml", "../../secret/grants.yaml");
                load(f);
                expect_problem(f, "run/state/grants.yaml", 0, 0, "it is a link");
                expect_rules(f, "");

                scratch_remove(&f->scratch, "run/state/grants.yaml");
                scratch_remove(&f->scratch, "run/state");
                scratch_link(&f->scratch, "run/state", "../secret");
                load(f);
                expect_problem(f, "run/state/grants.yaml", 0, 0, "its directory is a link");
                expect_rules(f, "");
                scratch_remove(&f->scratch, "run/state");
        }
}

static void test_odd_files(void **state) {
        Fixture *f = *state;
        char *large = malloc(10 << 20);

        assert_non_null(large);
        memset(large, '#', 10 << 20);
        scratch_write_bytes(&f->scratch, "etc/policy.d/large.yaml", large, 10 << 20);
        free(large);
        scratch_link(&f->scratch, "etc/policy.d/dangling.yaml", "nowhere");
        scratch_link(&f->scratch, "etc/policy.d/zero.yaml", "/dev/zero");
        scratch_mkdir(&f->scratch, "etc/policy.d/dir.yaml");
        assert_int_equal(mkfifo(scratch_path(&f->scratch, "etc/policy.d/fifo.yaml"), 0600), 0);
        scratch_write(&f->scratch, "etc/policy.d/empty.yaml", "");
        write_rule(f, "etc/policy.d/good.yaml", "good");
        load_broken(f);
        expect_problem(f, "etc/policy.d/large.yaml", 0, 0, "it has more than 4194304 bytes");
        expect_problem(f, "etc/policy.d/dangling.yaml", 0, 0, "it is a link to a file that is not there");
        expect_problem(f, "etc/policy.d/zero.yaml", 0, 0, "it is no regular file");
        expect_problem(f, "etc/policy.d/dir.yaml", 0, 0, "it is a directory");
        expect_problem(f, "etc/policy.d/fifo.yaml", 0, 0, "it is no regular file");
        expect_problem(f, "etc/policy.d/empty.yaml", 1, 1, "\"version: 1\" is missing");
        expect_rules(f, "good");
}

static void test_directory_is_a_file(void **state) {
        Fixture *f = *state;

        scratch_write(&f->scratch, "etc/policy.d", "version: 1\n");
        write_rule(f, "lib/policy.d/a.yaml", "a");
        load_broken(f);
        expect_problem(f, "etc/policy.d", 0, 0, "it cannot be read: Not a directory");
        expect_rules(f, "a");
}

static void test_single_files(void **state) {
        Fixture *f = *state;

        scratch_write(&f->scratch, "etc/policy.d", "version: 1\nrules: [{id: b, match: {module: b}, verdict: deny}]\n");
        write_rule(f, "lib/policy.d/a.yaml", "a");
        f->sources.files_too = true;
        load_usable(f);
        expect_rules(f, "b a");
}

/* It comes and goes while it is read, a hundred times: what is there is read, and nothing else is said. */
static void test_vanishing_directory(void **state) {
        Fixture *f = *state;
        pid_t child;

        write_rule(f, "lib/policy.d/z.yaml", "z");
        write_rule(f, "away/a.yaml", "a");
        write_rule(f, "away/b.yaml", "b");
        assert_int_equal(mkdir(scratch_path(&f->scratch, "etc"), 0755), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0)
                for (;;) {
                        (void) rename(scratch_path(&f->scratch, "away"),
                                      scratch_path(&f->scratch, "etc/policy.d"));
                        (void) rename(scratch_path(&f->scratch, "etc/policy.d"),
                                      scratch_path(&f->scratch, "away"));
                        if (getppid() == 1)
                                _exit(0);
                }

        for (unsigned i = 0; i < 500; i++) {
                load(f);
                if (f->broken)
                        show(f);
                assert_false(f->broken);
                assert_int_equal(f->problems.n_items, 0);
                assert_true(policy_count_rules(f->policy) >= 1 && policy_count_rules(f->policy) <= 3);
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_too_many_rules(void **state) {
        Fixture *f = *state;

        for (unsigned i = 0; i < 3; i++) {
                _cleanup_(freep) char *text = NULL;
                char name[64];
                size_t size;
                FILE *stream = open_memstream(&text, &size);

                assert_non_null(stream);
                fprintf(stream, "version: 1\nrules:\n");
                for (unsigned k = 0; k < POLICY_RULES_MAX / 2; k++)
                        fprintf(stream, "- verdict: audit\n");
                assert_int_equal(fclose(stream), 0);
                snprintf(name, sizeof(name), "etc/policy.d/%u.yaml", i);
                scratch_write(&f->scratch, name, text);
        }
        load_broken(f);
        expect_problem(f, "etc/policy.d/2.yaml", 0, 0, "with it there are more than 65536 rules");
        assert_int_equal(policy_count_rules(f->policy), POLICY_RULES_MAX);
}

static void test_too_many_files(void **state) {
        Fixture *f = *state;
        char name[64];

        for (unsigned i = 0; i < 2 * POLICY_FILES_MAX; i++) {
                snprintf(name, sizeof(name), "%s/policy.d/%u.yaml", i % 2 ? "etc" : "run", i);
                write_rule(f, name, "x");
        }
        load_broken(f);
        assert_int_equal(policy_count_files(f->policy), POLICY_FILES_MAX);
}

/* --------------------------------------------------------------------------------- kernel command line */

static PolicyVerdict judge(const Fixture *f, const char *module, PolicySource *ret_source) {
        PolicySubject subject = { .module = module };
        PolicyDecision decision;

        policy_judge(f->policy, &subject, 0, &decision, NULL, NULL);
        if (ret_source)
                *ret_source = decision.actual.source;
        return decision.actual.verdict;
}

static void test_command_line(void **state) {
        static const struct {
                const char *text, *module;
                PolicyVerdict verdict;
                PolicySource source;
                const char *problem; /* NULL: none */
        } cases[] = {
                { "quiet", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, NULL },
                { "lkmd.deny=a", "a", POLICY_DENY, POLICY_BY_COMMAND_LINE, NULL },
                { "lkmd.deny=b,a", "a", POLICY_DENY, POLICY_BY_COMMAND_LINE, NULL },
                { "lkmd.deny=\"b,a\"", "a", POLICY_DENY, POLICY_BY_COMMAND_LINE, NULL },
                { "\"lkmd.deny=b,a\"", "a", POLICY_DENY, POLICY_BY_COMMAND_LINE, NULL },
                { "lkmd.deny=snd-*", "snd_hda", POLICY_DENY, POLICY_BY_COMMAND_LINE, NULL },
                { "lkmd.allow=a lkmd.deny=*", "a", POLICY_ALLOW, POLICY_BY_COMMAND_LINE, NULL },
                { "lkmd.deny=* lkmd.allow=a", "a", POLICY_DENY, POLICY_BY_COMMAND_LINE, NULL },
                { "lkmd.deny=*,!a", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, NULL },
                { "lkmd.deny=*,!a", "b", POLICY_DENY, POLICY_BY_COMMAND_LINE, NULL },
                { "lkmd.deny=a,b[", "a", POLICY_DENY, POLICY_BY_COMMAND_LINE,
                  "lkmd.deny=: \"b[\": its brackets do not pair up" },
                { "lkmd.deny=*,!b[", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, "lkmd.deny= is ignored" },
                { "lkmd.deny=", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, "expected names of modules or globs" },
                { "lkmd.deny", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, "expected names of modules or globs" },
                { "lkmd.denyy=a", "a", POLICY_ALLOW, POLICY_BY_DEFAULT,
                  "unknown lkmd.denyy=; did you mean lkmd.deny=?" },
                { "lkmd.den\xffy=a", "a", POLICY_ALLOW, POLICY_BY_DEFAULT,
                  "unknown lkmd.den\\xffy=; did you mean lkmd.deny=?" },
                { "lkmd.debug=1 other.deny=a", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, NULL },
                { "module_blacklist=b,a", "a", POLICY_DENY, POLICY_BY_KERNEL, NULL },
                { "module-blacklist=\"b,a\"", "a", POLICY_DENY, POLICY_BY_KERNEL, NULL },
                { "\"module_blacklist=a,b\"", "a", POLICY_DENY, POLICY_BY_KERNEL, NULL },
                { "module_blacklist=a module_blacklist=b", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, NULL },
                { "module_blacklist=,a,", "a", POLICY_DENY, POLICY_BY_KERNEL, NULL },
                { "-- module_blacklist=a", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, NULL },
                { "my_module_blacklist=a module_blacklists=a", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, NULL },
                { "lkmd.allow=a module_blacklist=a", "a", POLICY_DENY, POLICY_BY_KERNEL, NULL },
                { "module_blacklist=snd-hda", "snd_hda", POLICY_DENY, POLICY_BY_KERNEL,
                  "the kernel knows modules by names with '_'" },
                { "module_blacklist=a*", "a", POLICY_ALLOW, POLICY_BY_DEFAULT, "not a glob" },
                { "module_blacklist=b \"open", "b", POLICY_DENY, POLICY_BY_KERNEL, NULL },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                PolicySource source;

                f->sources.command_line = cases[i].text;
                load_usable(f);
                if (judge(f, cases[i].module, &source) != cases[i].verdict || source != cases[i].source)
                        fail_msg("%s: by %s", cases[i].text, policy_source_to_string(source));
                if (!cases[i].problem != (f->problems.n_items == 0))
                        fail_msg("%s: %zu problems", cases[i].text, f->problems.n_items);
                if (cases[i].problem) {
                        const Problem *last = f->problems.items + f->problems.n_items - 1;

                        if (!strstr(last->message, cases[i].problem))
                                fail_msg("%s: %s", cases[i].text, last->message);
                        assert_string_equal(last->file, "/proc/cmdline");
                }
        }
}

#define DRAFT "version: 1\nrules: [{id: draft, match: {module: m}, verdict: deny, reason: r, source: s}]\n"

/* A draft takes the place of a file, of a list, or of one that is not there, and is told by the name of that. */
static void test_draft(void **state) {
        static const struct {
                const char *path, *text, *rules;
        } cases[] = {
                { "/etc/policy.d/20.yaml", "version: 1\nrules: [{id: draft, match: {module: m}, verdict: deny}]\n", "one draft three low" },
                { "/etc/policy.d/30.yaml", "version: 1\nrules: [{id: draft, match: {module: m}, verdict: deny}]\n", "one two draft three low" },
                { "/etc/policy.d/90.yaml", "version: 1\nrules: [{id: draft, match: {module: m}, verdict: deny}]\n", "one two three draft" },
                { "/etc/policy.d/.x.yaml", "broken", "one two three low" },
                { "/etc/policy.d/sub/x.yaml", "broken", "one two three low" },
                { "/etc/policy.dx/x.yaml", "broken", "one two three low" },
                { "/elsewhere/x.yaml", "broken", "one two three low" },
        };
        char path[PATH_MAX];
        PolicyDraft draft = { .path = path };
        Fixture *f = *state;

        write_rule(f, "etc/policy.d/10.yaml", "one");
        write_rule(f, "etc/policy.d/20.yaml", "two");
        write_rule(f, "etc/policy.d/40.yaml", "three");
        write_rule(f, "lib/policy.d/90.yaml", "low");
        f->sources.draft = &draft;
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                snprintf(path, sizeof(path), "%s%s", f->scratch.dir, cases[i].path);
                draft.text = cases[i].text;
                draft.size = strlen(draft.text);
                expect_clean(f, cases[i].rules);
        }

        snprintf(path, sizeof(path), "%s/etc/policy.d/20.yaml", f->scratch.dir);
        draft.text = "version: 1\nrulez: []\n";
        draft.size = strlen(draft.text);
        load_broken(f);
        assert_string_equal(f->problems.items[0].file, path);
        assert_int_equal(f->problems.items[0].line, 2);
}

static void test_draft_of_a_list(void **state) {
        char path[PATH_MAX];
        PolicyDraft draft = { .path = path, .text = DRAFT, .size = strlen(DRAFT) };
        Fixture *f = *state;

        scratch_write(&f->scratch, "etc/policy.d/10.yaml", "version: 1\ninclude: [mine]\n");
        write_list(f, "share/lists/mine.yaml", "shared");
        snprintf(path, sizeof(path), "%s/etc/lists/mine.yaml", f->scratch.dir);
        expect_clean(f, "shared");
        f->sources.draft = &draft;
        expect_clean(f, "draft");
}

static void test_command_line_of_this_machine(void **state) {
        Fixture *f = *state;

        f->sources.command_line = NULL;
        load_usable(f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
                TEST(test_nothing),
                TEST(test_order),
                TEST(test_hidden),
                TEST(test_wrong_suffix),
                TEST(test_lists),
                TEST(test_unknown_lists),
                TEST(test_broken_list),
                TEST(test_broken),
                TEST(test_bad_grants),
                TEST(test_grants_of_this_boot),
                TEST(test_trust),
                TEST(test_trust_in_lists_and_grants),
                TEST(test_links_to_grants),
                TEST(test_trust_in_directories),
                TEST(test_odd_files),
                TEST(test_directory_is_a_file),
                TEST(test_single_files),
                TEST(test_vanishing_directory),
                TEST(test_too_many_rules),
                TEST(test_too_many_files),
                TEST(test_command_line),
                TEST(test_command_line_of_this_machine),
                TEST(test_draft),
                TEST(test_draft_of_a_list),
        };

        return RUN_TESTS(tests);
}
