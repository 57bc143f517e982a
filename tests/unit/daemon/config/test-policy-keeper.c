/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/config/policy-keeper.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/paths.h"
#include "daemon-bench.h"
#include "test.h"

/* All of its paths are below the scratch directory. */
#define DIR LKMD_SYSCONF_DIR "/lkmd/" LKMD_POLICY_DIR "/"

typedef struct Bench {
        bool asks;                      /* whenever the policy has changed */
        Scratch scratch;
        sd_event *event;
        PolicyKeeper *keeper;
        unsigned changes, problems;
} Bench;

static void on_changed(bool is_news, void *userdata) {
        Bench *b = userdata;

        b->changes++;
        if (b->asks)                    /* as the manager does */
                (void) policy_keeper_get(b->keeper);
}

static void on_problem(const Problem *problem, void *userdata) {
        ((Bench *) userdata)->problems++;
}

static void bench_start(Bench *b, PolicyMode mode) {
        assert_ok(policy_keeper_new(&b->keeper, &(PolicyKeeperOptions) {
                                                        .event = b->event,
                                                        .root = b->scratch.dir,
                                                        .mode = mode,
                                                        .changed = on_changed,
                                                        .problem = on_problem,
                                                        .userdata = b,
                                                }));
        assert_int_equal(b->changes, 0);
}

static void bench_open(Bench *b) {
        *b = (Bench) {};
        scratch_open(&b->scratch);
        scratch_mkdir(&b->scratch, &LKMD_STATE_DIR[1]);
        assert_ok(sd_event_new(&b->event));
}

static void bench_close(Bench *b) {
        policy_keeper_free(b->keeper);
        sd_event_unref(b->event);
        scratch_close(&b->scratch);
}

static void write_policy(const Bench *b, const char *name, const char *text) {
        char path[256];

        snprintf(path, sizeof(path), "%s%s", &DIR[1], name);
        scratch_write(&b->scratch, path, text);
}

static void write_rule(const Bench *b, const char *name, const char *module) {
        char text[256];

        snprintf(text, sizeof(text), "version: 1\nrules:\n  - match: {module: %s}\n    verdict: deny\n",
                 module);
        write_policy(b, name, text);
}

/* Started with one rule, that denies @module. */
static void bench_open_with_rule(Bench *b, const char *module, PolicyMode mode) {
        bench_open(b);
        write_rule(b, "a.yaml", module);
        bench_start(b, mode);
}

static void write_broken(const Bench *b, const char *name) {
        write_policy(b, name, "version: 1\nruels: []\n");
}

static PolicyRuling judge(Bench *b, const char *module) {
        const PolicySubject subject = { .module = module };
        PolicyDecision decision;

        event_settle(b->event);         /* changes are reported from the event loop */
        policy_judge(policy_keeper_get(b->keeper), &subject, clock_usec(CLOCK_REALTIME), &decision, NULL, NULL);
        return decision.actual;
}

static bool denies(Bench *b, const char *module) {
        return judge(b, module).verdict == POLICY_DENY;
}

static const Grant *give(Bench *b, const char *module, PolicyVerdict verdict, uint64_t usec, bool once) {
        const Grant *g;

        assert_ok(policy_keeper_grant(b->keeper,
                                      &(Grant) {
                                              .module = (char *) module,
                                              .reason = (char *) "it's \"why\": #1",
                                              .verdict = verdict,
                                              .expires_usec = usec,
                                              .once = once,
                                              .has_uid = true,
                                              .uid = 1000,
                                      },
                                      &g));
        return g;
}

static void test_nothing_there(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        bench_start(&b, POLICY_ENFORCE);
        assert_false(denies(&b, "a"));
        assert_false(policy_keeper_is_broken(b.keeper));
        assert_int_equal(policy_keeper_get_problems(b.keeper)->n_items, 0);
        assert_int_equal(b.changes, 0);
}

static void test_follows_the_files(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        bench_start(&b, POLICY_ENFORCE);
        write_rule(&b, "a.yaml", "a");  /* with the directories above it */
        assert_true(denies(&b, "a"));
        write_rule(&b, "a.yaml", "b");
        assert_false(denies(&b, "a"));
        assert_true(denies(&b, "b"));
        assert_int_equal(b.changes, 2);
        write_rule(&b, "a.txt", "c");   /* nothing to do with it */
        assert_false(denies(&b, "c"));
        assert_int_equal(b.changes, 2);
        scratch_remove(&b.scratch, &DIR "a.yaml"[1]);
        assert_false(denies(&b, "b"));
}

static void test_broken_keeps_the_old(void **state) {
        _cleanup_(bench_close) Bench b;
        const Problem *p;

        bench_open_with_rule(&b, "a", POLICY_ENFORCE);
        write_rule(&b, "a.yaml", "b");  /* fine, but all or nothing */
        write_broken(&b, "z.yaml");
        assert_true(denies(&b, "a"));
        assert_false(denies(&b, "b"));
        assert_true(policy_keeper_is_broken(b.keeper));
        assert_int_equal(b.changes, 0);
        assert_int_equal(policy_keeper_get_problems(b.keeper)->n_items, 1);
        p = policy_keeper_get_problems(b.keeper)->items;
        assert_string_equal(p->file, scratch_path(&b.scratch, &DIR "z.yaml"[1]));
        assert_int_equal(p->line, 2);
        assert_int_equal(p->column, 1);
        assert_int_equal(b.problems, 1);
        assert_ok(policy_keeper_rebuild(b.keeper));
        write_rule(&b, "a.yaml", "c");
        assert_false(denies(&b, "c"));
        assert_int_equal(b.problems, 1); /* it was said */
        write_rule(&b, "a.yaml", "b");

        scratch_remove(&b.scratch, &DIR "z.yaml"[1]);
        assert_true(denies(&b, "b"));
        assert_false(policy_keeper_is_broken(b.keeper));
}

/* With nothing to stay with, what can be read holds, and follows the files also while another is broken. */
static void test_broken_at_the_start(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        write_rule(&b, "a.yaml", "a");
        write_policy(&b, "d.yaml", "version: 1\ndefault: deny\n");
        write_broken(&b, "z.yaml");
        bench_start(&b, POLICY_ENFORCE);
        assert_true(policy_keeper_is_broken(b.keeper));
        assert_true(denies(&b, "a"));
        assert_false(denies(&b, "x"));
        write_rule(&b, "a.yaml", "b");
        assert_true(denies(&b, "b"));
        scratch_remove(&b.scratch, &DIR "z.yaml"[1]);
        assert_true(denies(&b, "x"));

        write_broken(&b, "z.yaml");     /* now there is something */
        write_rule(&b, "a.yaml", "c");
        assert_true(denies(&b, "x"));
        assert_string_equal(judge(&b, "b").file, scratch_path(&b.scratch, &DIR "a.yaml"[1]));
}

static void restart(Bench *b) {
        b->keeper = policy_keeper_free(b->keeper);
        b->changes = 0;
        bench_start(b, POLICY_ENFORCE);
}

static void write_allow_list(const Bench *b, const char *name) {
        write_policy(b, name,
                     "version: 1\ndefault: deny\nrules:\n  - match: {module: good}\n    verdict: allow\n");
}

/* As lkmd-keep.service does; the next boot finds nothing in /run. */
static void reboot(Bench *b) {
        _cleanup_(freep) char *command = NULL;

        assert_true(asprintf(&command, "mkdir -p %s/var/lib/lkmd; cd %s; test ! -e .%s || mv .%s .%s", b->scratch.dir,
                             b->scratch.dir, LKMD_GOOD_POLICY_FILE, LKMD_GOOD_POLICY_FILE, LKMD_KEPT_POLICY_FILE) > 0);
        b->keeper = policy_keeper_free(b->keeper);
        assert_int_equal(system(command), 0);
        b->changes = 0;
        bench_start(b, POLICY_ENFORCE);
}

static void expect_closed(Bench *b, PolicyStanding standing) {
        assert_true(denies(b, "x"));
        assert_false(denies(b, "good"));
        assert_int_equal(policy_keeper_get_standing(b->keeper), standing);
        assert_int_equal(policy_keeper_is_broken(b->keeper), standing != POLICY_IS_CURRENT);
        assert_false(policy_is_incomplete(policy_keeper_get(b->keeper)));
}

/* A machine that denies by default does so however it starts. */
static void test_last_good(void **state) {
        _cleanup_(bench_close) Bench b;
        char place[512];

        bench_open(&b);
        write_allow_list(&b, "a.yaml");
        bench_start(&b, POLICY_ENFORCE);
        expect_closed(&b, POLICY_IS_CURRENT);
        snprintf(place, sizeof(place), "%s", judge(&b, "x").file);

        write_broken(&b, "a.yaml");
        expect_closed(&b, POLICY_IS_OLD);
        restart(&b);
        expect_closed(&b, POLICY_IS_LAST_GOOD);
        assert_string_equal(judge(&b, "x").file, place); /* where it was written */
        assert_int_equal(judge(&b, "x").line, 2);
        assert_int_equal(policy_keeper_get_problems(b.keeper)->n_items, 1); /* to be mended there */

        for (unsigned i = 0; i < 2; i++) {
                reboot(&b);
                expect_closed(&b, POLICY_IS_LAST_GOOD);
        }
        write_broken(&b, "b.yaml");     /* one more, and it stays what it was */
        expect_closed(&b, POLICY_IS_LAST_GOOD);

        scratch_remove(&b.scratch, &DIR "b.yaml"[1]);
        write_rule(&b, "a.yaml", "x");
        assert_true(denies(&b, "x"));
        assert_false(denies(&b, "y"));
        assert_int_equal(policy_keeper_get_standing(b.keeper), POLICY_IS_CURRENT);
        write_broken(&b, "a.yaml");
        reboot(&b);
        assert_false(denies(&b, "y"));  /* it was the last good one */
        assert_true(denies(&b, "x"));
}

/* Grants and the kernel command line are of now, and no part of what is kept. */
static void test_last_good_and_grants(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        write_allow_list(&b, "a.yaml");
        bench_start(&b, POLICY_ENFORCE);
        give(&b, "x", POLICY_ALLOW, UINT64_MAX, false);
        write_broken(&b, "a.yaml");
        restart(&b);
        assert_false(denies(&b, "x"));
        assert_ok(policy_keeper_revoke(b.keeper, "grant-1"));
        expect_closed(&b, POLICY_IS_LAST_GOOD);
        restart(&b);
        expect_closed(&b, POLICY_IS_LAST_GOOD);
}

static void garble(Bench *b, const char *file, const char *how) {
        _cleanup_(freep) char *command = NULL;

        assert_true(asprintf(&command, "f=%s%s; %s", b->scratch.dir, file, how) > 0);
        assert_int_equal(system(command), 0);
}

/* Whatever became of the copy: lkmd starts, and says that nothing is denied by default if that may have been meant. */
static void test_copy_is_of_no_use(void **state) {
        static const char *const ways[] = {
                "rm $f",
                ": > $f",
                "head -c 40 $f > $f.x; mv $f.x $f",
                "truncate -s -1 $f",
                "echo >> $f",
                "sed -i s/deny/allo/ $f",
                "sed -i '1s,/etc,/opt,' $f",
                "head -c 100000 /dev/urandom > $f",
                "rm $f; mkfifo $f",
                "rm $f; mkdir $f",
                "rm $f; ln -s /dev/zero $f",
                "chmod 0666 $f; truncate -s 100M $f",
        };

        for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
                _cleanup_(bench_close) Bench b;

                bench_open(&b);
                write_allow_list(&b, "a.yaml");
                write_rule(&b, "c.yaml", "c");
                bench_start(&b, POLICY_ENFORCE);
                write_broken(&b, "b.yaml");
                garble(&b, LKMD_GOOD_POLICY_FILE, ways[i]);
                restart(&b);
                if (denies(&b, "x") || !denies(&b, "c") ||
                    policy_keeper_get_standing(b.keeper) != POLICY_IS_PARTIAL ||
                    !policy_is_incomplete(policy_keeper_get(b.keeper)))
                        fail_msg("%s", ways[i]);
                scratch_remove(&b.scratch, &DIR "b.yaml"[1]);
                if (!denies(&b, "x") || policy_is_incomplete(policy_keeper_get(b.keeper)))
                        fail_msg("%s: not mended", ways[i]);
        }
}

/* What may say "default: deny", and is there nothing to hold to? */
static void test_may_have_denied(void **state) {
        static const struct {
                const char *text;
                bool may;
        } cases[] = {
                { "version: 1\nruels: []\n", false },
                { "version: 1\ndefault: allow\nruels: []\n", false },
                { "version: 1\ndefault: deny\nruels: []\n", true },
                { "{version: 1, \"default\" :  'deny', x: y}\n", true },
                { "version: 2\ndefault: deny\n", true },
                { "version: 1\nrules: [\ndefault: deny\n", true },
                { "version: 1\n\xff\n", false },
                { "version: 1\ndefaults: deny\n", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(bench_close) Bench b;

                bench_open(&b);
                write_policy(&b, "a.yaml", cases[i].text);
                bench_start(&b, POLICY_ENFORCE);
                assert_false(denies(&b, "x"));
                assert_int_equal(policy_keeper_get_standing(b.keeper), POLICY_IS_PARTIAL);
                if (policy_is_incomplete(policy_keeper_get(b.keeper)) != cases[i].may)
                        fail_msg("%s", cases[i].text);
        }
}

static void test_mode(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open_with_rule(&b, "a", POLICY_AUDIT);
        assert_false(denies(&b, "a"));
        policy_keeper_set_mode(b.keeper, POLICY_ENFORCE);
        assert_true(denies(&b, "a"));
        assert_int_equal(b.changes, 1);
        policy_keeper_set_mode(b.keeper, POLICY_ENFORCE);
        assert_int_equal(b.changes, 1);
        policy_keeper_set_mode(b.keeper, POLICY_OFF);
        write_rule(&b, "b.yaml", "b"); /* one read meanwhile has the mode as well */
        assert_false(denies(&b, "b"));
}

static void test_grants(void **state) {
        _cleanup_(bench_close) Bench b;
        const Grant *g;
        struct stat st;

        bench_open_with_rule(&b, "'*'", POLICY_ENFORCE);
        g = give(&b, "usb-*", POLICY_ALLOW, UINT64_MAX, false);
        assert_string_equal(g->id, "grant-1");
        assert_string_equal(g->module, "usb_*");
        assert_false(denies(&b, "usb_storage"));
        assert_true(denies(&b, "other"));
        assert_int_equal(judge(&b, "usb_storage").source, POLICY_BY_GRANT);
        assert_string_equal(judge(&b, "usb_storage").reason, "it's \"why\": #1");
        assert_int_equal(stat(scratch_path(&b.scratch, &LKMD_GRANTS_FILE[1]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0644);

        give(&b, "usb_uas", POLICY_DENY, clock_usec(CLOCK_REALTIME) + 3600000000U, true);
        assert_false(denies(&b, "usb_uas")); /* the first one decides */

        b.keeper = policy_keeper_free(b.keeper);
        b.changes = 0;
        bench_start(&b, POLICY_ENFORCE); /* a restart */
        assert_int_equal(grants_count(policy_keeper_get_grants(b.keeper)), 2);
        g = grants_get(policy_keeper_get_grants(b.keeper), 0);
        assert_string_equal(g->module, "usb_*");
        assert_string_equal(g->reason, "it's \"why\": #1");
        assert_int_equal(g->expires_usec, UINT64_MAX);
        assert_true(g->has_uid && g->uid == 1000 && g->created_usec > 0);
        g = grants_get(policy_keeper_get_grants(b.keeper), 1);
        assert_true(g->once && g->verdict == POLICY_DENY && g->expires_usec < UINT64_MAX);
        assert_false(denies(&b, "usb_storage"));

        assert_ok(policy_keeper_revoke(b.keeper, "grant-1"));
        assert_true(denies(&b, "usb_storage"));
        assert_int_equal(policy_keeper_revoke(b.keeper, "grant-1"), -ENOENT);
        assert_string_equal(give(&b, "x", POLICY_ALLOW, UINT64_MAX, false)->id, "grant-3");
        assert_ok(policy_keeper_revoke(b.keeper, "grant-2"));
        assert_ok(policy_keeper_revoke(b.keeper, "grant-3"));
        assert_int_equal(access(scratch_path(&b.scratch, &LKMD_GRANTS_FILE[1]), F_OK), -1);
}

static void test_grants_do_not_wait_for_files(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open_with_rule(&b, "'*'", POLICY_ENFORCE);
        write_broken(&b, "z.yaml");
        assert_true(denies(&b, "a"));
        give(&b, "a", POLICY_ALLOW, UINT64_MAX, false);
        assert_false(denies(&b, "a"));
        assert_ok(policy_keeper_revoke(b.keeper, "grant-1"));
        assert_true(denies(&b, "a"));
}

static void test_used_up(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open_with_rule(&b, "'*'", POLICY_ENFORCE);
        give(&b, "a", POLICY_ALLOW, UINT64_MAX, true);
        give(&b, "b", POLICY_ALLOW, UINT64_MAX, false);
        for (unsigned i = 1; i <= 3; i++) { /* the third is none */
                char id[16];

                snprintf(id, sizeof(id), "grant-%u", i);
                policy_keeper_use(b.keeper, &(PlanRuling) { .source = POLICY_BY_RULE, .rule = id });
                assert_int_equal(denies(&b, "a"), i > 1);
                policy_keeper_use(b.keeper, &(PlanRuling) { .source = POLICY_BY_GRANT, .rule = id });
                assert_true(denies(&b, "a"));
                assert_false(denies(&b, "b"));
        }
        policy_keeper_use(b.keeper, &(PlanRuling) { .source = POLICY_BY_GRANT });
}

/* The time of a grant comes to its end without anybody asking. */
static void test_expiry(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open_with_rule(&b, "'*'", POLICY_ENFORCE);
        give(&b, "a", POLICY_ALLOW, clock_usec(CLOCK_REALTIME) + 20000, false);
        give(&b, "b", POLICY_ALLOW, clock_usec(CLOCK_REALTIME) + 3600000000U, false);
        assert_int_equal(b.changes, 2);
        while (b.changes == 2)
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        assert_true(denies(&b, "a"));
        assert_false(denies(&b, "b"));
        assert_int_equal(grants_count(policy_keeper_get_grants(b.keeper)), 1);
}

/* What cannot be kept of an entry is no reason not to start, and never makes the entry wider. */
static void test_entries_of_grants_are_broken(void **state) {
        _cleanup_(bench_close) Bench b;
        const ProblemList *problems;
        BootMoment now;
        char text[1024];

        bench_open(&b);
        write_rule(&b, "a.yaml", "'*'");
        boot_moment_now(&now);
        snprintf(text, sizeof(text),
                 "version: 1\nboot: %s\nrules:\n"
                 "  - {id: grant-1, match: {module: a}, verdict: allow}\n"
                 "  - {id: grant-2, match: {module: '!b'}, verdict: allow, reason: r}\n"
                 "  - {id: grant-3, match: {module: c, uid: 0}, verdict: allow, reason: r}\n"
                 "  - {id: grant-4, match: {module: d}, mode: off, verdict: allow, reason: r}\n"
                 "  - {id: grant-5, match: {module: e}, verdict: allow, reason: r}\n",
                 now.id);
        scratch_write(&b.scratch, &LKMD_GRANTS_FILE[1], text);
        bench_start(&b, POLICY_ENFORCE);
        for (char module[] = "a"; *module < 'e'; ++*module)
                if (!denies(&b, module))
                        fail_msg("%s is allowed", module);
        assert_false(denies(&b, "e"));

        problems = policy_keeper_get_problems(b.keeper);
        assert_int_equal(problems->n_items, 4);
        for (unsigned i = 0; i < 4; i++) {
                assert_string_equal(problems->items[i].file, scratch_path(&b.scratch, &LKMD_GRANTS_FILE[1]));
                assert_int_equal(problems->items[i].line, 4 + i);
        }
        assert_string_equal(give(&b, "a", POLICY_ALLOW, UINT64_MAX, false)->id, "grant-6");
        assert_ok(policy_keeper_rebuild(b.keeper));
        assert_int_equal(policy_keeper_get_problems(b.keeper)->n_items, 0); /* they are not in the file any more */
}

/* The wall clock was set back since: the boot's clock ends it, also while lkmd runs. */
static void test_set_clock_gives_no_time(void **state) {
        _cleanup_(bench_close) Bench b;
        BootMoment now;
        char text[1024];

        bench_open(&b);
        write_rule(&b, "a.yaml", "'*'");
        boot_moment_now(&now);
        snprintf(text, sizeof(text),
                 "version: 1\nboot: %s\nrules:\n"
                 "  - {id: grant-1, match: {module: a}, verdict: allow, reason: r, expires: 9000-01-01, uptime: 0.000001}\n"
                 "  - {id: grant-2, match: {module: b}, verdict: allow, reason: r, expires: 9000-01-01, uptime: %" PRIu64 ".%06u}\n",
                 now.id, (now.usec + 20000) / 1000000, (unsigned) ((now.usec + 20000) % 1000000));
        scratch_write(&b.scratch, &LKMD_GRANTS_FILE[1], text);
        bench_start(&b, POLICY_ENFORCE);
        assert_true(denies(&b, "a"));
        while (b.changes == 0)
                assert_ok(sd_event_run(b.event, UINT64_MAX));
        assert_true(denies(&b, "b"));
        assert_int_equal(grants_count(policy_keeper_get_grants(b.keeper)), 0);
}

static void test_file_of_grants_is_broken(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        write_rule(&b, "a.yaml", "a");
        scratch_write(&b.scratch, &LKMD_GRANTS_FILE[1], "version: 1\nrules: [\n");
        bench_start(&b, POLICY_ENFORCE);
        assert_true(denies(&b, "a"));
        assert_false(policy_keeper_is_broken(b.keeper)); /* it is no one's but ours */
        give(&b, "a", POLICY_ALLOW, UINT64_MAX, false);
        assert_false(denies(&b, "a"));
}

/* Whoever gave it hears of it, though its time was over before the policy was put into force. */
static void test_over_at_once(void **state) {
        _cleanup_(bench_close) Bench b;
        const Grant *g;

        bench_open(&b);
        bench_start(&b, POLICY_ENFORCE);
        b.asks = true;
        g = give(&b, "a", POLICY_ALLOW, 1, false);
        assert_string_equal(g->module, "a");
        (void) policy_keeper_get(b.keeper);
        assert_int_equal(grants_count(policy_keeper_get_grants(b.keeper)), 0);
}

static void test_checks(void **state) {
        static const struct {
                const char *module;
                bool good;
        } modules[] = {
                { "usb-storage", true }, { "usb*", true }, { "[ab]*", true }, { "*", true },
                { "", false },           { "!a", false },  { "a b", false },  { "[a", false },
                { "a/b", false },        { "a\n", false }, { "\xff", false }, { "a,b", false },
        };
        static const struct {
                const char *reason;
                bool good;
        } reasons[] = {
                { "x", true }, { "f\xc3\xbcr # ' \" :", true }, { "", false }, { " \t", false }, { "a\nb", false }, { "\xff", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(modules); i++)
                if (!grant_check_module(modules[i].module) != modules[i].good)
                        fail_msg("module %s", modules[i].module);
        for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
                if (!grant_check_reason(reasons[i].reason) != reasons[i].good)
                        fail_msg("reason %s", reasons[i].reason);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_there),
                cmocka_unit_test(test_follows_the_files),
                cmocka_unit_test(test_broken_keeps_the_old),
                cmocka_unit_test(test_broken_at_the_start),
                cmocka_unit_test(test_last_good),
                cmocka_unit_test(test_last_good_and_grants),
                cmocka_unit_test(test_copy_is_of_no_use),
                cmocka_unit_test(test_may_have_denied),
                cmocka_unit_test(test_mode),
                cmocka_unit_test(test_grants),
                cmocka_unit_test(test_grants_do_not_wait_for_files),
                cmocka_unit_test(test_used_up),
                cmocka_unit_test(test_expiry),
                cmocka_unit_test(test_file_of_grants_is_broken),
                cmocka_unit_test(test_entries_of_grants_are_broken),
                cmocka_unit_test(test_set_clock_gives_no_time),
                cmocka_unit_test(test_over_at_once),
                cmocka_unit_test(test_checks),
        };

        return RUN_TESTS(tests);
}
