/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/planning/unload-plan.h"

#include "common/base/paths.h"
#include "common/base/string-list.h"
#include "fake-modules.h"
#include "test.h"

#define _bench_ _cleanup_(bench_close)

/* lkmdt_top needs mid, which needs base; other needs base; main wants pre before and post after it. */
static const FakeModule modules[] = {
        { "lkmdt_top", "lkmdt_mid lkmdt_base" }, { "lkmdt_mid", "lkmdt_base" }, { "lkmdt_base" },
        { "lkmdt_other", "lkmdt_base" },         { "lkmdt_main" },              { "lkmdt_pre" },
        { "lkmdt_post" },                        { "lkmdt_second" },            {},
};

/* As crc32c, which several modules provide. */
static const WriterEntry aliases[] = { { "lkmdt_digest", "lkmdt_pre", 1 },
                                       { "lkmdt_digest", "lkmdt_post", 2 },
                                       {} };

typedef struct Bench {
        Scratch scratch;
        sd_event *event;
        PolicyKeeper *policy;
        const Index *index;
        Ledger *ledger;
        Planner planner;
        LoadedModule *loaded;
        size_t n_loaded;
        const char *kept;
} Bench;

static void on_changed(bool is_news, void *userdata) {}

static void on_problem(const Problem *problem, void *userdata) {}

static void bench_open(Bench *b, const char *modprobe_d) {
        const char *paths[2] = {};

        *b = (Bench) {};
        scratch_open(&b->scratch);
        fake_tree_write(&b->scratch, &(FakeTree) { .modules = modules, .aliases = aliases });
        scratch_write(&b->scratch, "modprobe.d/x.conf", modprobe_d);
        scratch_mkdir(&b->scratch, &LKMD_STATE_DIR[1]);
        paths[0] = scratch_path(&b->scratch, "modprobe.d");
        assert_ok(sd_event_new(&b->event));
        assert_ok(policy_keeper_new(&b->policy, &(PolicyKeeperOptions) {
                                                        .event = b->event,
                                                        .root = b->scratch.dir,
                                                        .mode = POLICY_ENFORCE,
                                                        .changed = on_changed,
                                                        .problem = on_problem,
                                                }));
        assert_ok(index_new(&b->index,
                            &(IndexSources) { .root = b->scratch.dir,
                                              .release = FAKE_RELEASE,
                                              .config_paths = paths,
                                              .command_line = "" },
                            NULL));
        assert_ok(ledger_new(&b->ledger, NULL, 100));
        b->planner = (Planner) { .policy = b->policy };
}

static void bench_close(Bench *b) {
        loaded_modules_free(b->loaded, b->n_loaded);
        ledger_free(b->ledger);
        index_unref(b->index);
        policy_keeper_free(b->policy);
        sd_event_unref(b->event);
        scratch_close(&b->scratch);
}

/* In the kernel. @holders: with blanks; @more: references that are not theirs */
static void put(Bench *b, const char *module, const char *holders, unsigned more) {
        LoadedModule m = {
                .name = strdup(module), .size_bytes = 1000, .ref_count = more, .state = MODULE_LIVE
        };

        for (const char *p = holders; *p; p += strspn(p, " ")) {
                size_t n = strcspn(p, " ");

                assert_ok(string_list_append(&m.holders, p, n));
                m.ref_count++;
                p += n;
        }
        b->loaded = reallocarray(b->loaded, b->n_loaded + 1, sizeof(m));
        assert_non_null(b->loaded);
        b->loaded[b->n_loaded++] = m;
}

static void note(Bench *b, const char *module, RequestOrigin origin, PlanReason reason) {
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(record_unrefp) Record *record = NULL;

        assert_ok(request_new(&request, origin, module));
        assert_ok(record_new(&record, module, request));
        assert_ok(ledger_begin(b->ledger, record));
        record->outcome = OUTCOME_LOADED;
        record->reason = reason;
        record->duration_usec = 5;
        ledger_end(b->ledger, record);
}

static bool keeps(const char *module, void *userdata) {
        return streq_ptr(((Bench *) userdata)->kept, module);
}

static UnloadSources sources_of(Bench *b) {
        return (UnloadSources) {
                .ledger = b->ledger,
                .planner = &b->planner,
                .index = b->index,
                .loaded = b->loaded,
                .n_loaded = b->n_loaded,
                .keeps = keeps,
                .userdata = b,
        };
}

/* "top requested, mid dependency; base stays in_use other": without the beginning of the names */
static void assert_story(const UnloadPlan *p, const char *expected) {
        char story[1024] = "";
        size_t n = 0;

        for (size_t i = 0; i < p->n_steps; i++)
                n += (size_t) snprintf(story + n, sizeof(story) - n, "%s%s %s", i > 0 ? ", " : "",
                                       p->steps[i].module + 6, unload_reason_to_string(p->steps[i].reason));
        for (size_t i = 0; i < p->n_stays; i++) {
                n += (size_t) snprintf(story + n, sizeof(story) - n, "; %s stays %s", p->stays[i].module + 6,
                                       unload_stay_kind_to_string(p->stays[i].kind));
                for (char **m = p->stays[i].modules; m && *m; m++)
                        n += (size_t) snprintf(story + n, sizeof(story) - n, " %s", *m + 6);
        }
        assert_string_equal(story, expected);
}

static void expect(Bench *b, const char *module, bool holders, const char *expected) {
        _cleanup_(unload_plan_freep) UnloadPlan *p = NULL;
        char *const names[] = { (char *) module, NULL };
        UnloadSources s = sources_of(b);

        assert_ok(unload_plan_new(&p, &s, names, UNLOAD_REQUESTED, holders));
        assert_story(p, expected);
        assert_int_equal(unload_plan_bytes(p), 1000 * p->n_steps);
}

static void put_chain(Bench *b) {
        put(b, "lkmdt_top", "", 0);
        put(b, "lkmdt_mid", "lkmdt_top", 0);
        put(b, "lkmdt_base", "lkmdt_mid", 0);
        note(b, "lkmdt_base", ORIGIN_CLIENT, PLAN_DEPENDENCY);
        note(b, "lkmdt_mid", ORIGIN_CLIENT, PLAN_DEPENDENCY);
        note(b, "lkmdt_top", ORIGIN_CLIENT, PLAN_REQUESTED);
}

static void test_dependencies(void **state) {
        _bench_ Bench b;

        bench_open(&b, "");
        put_chain(&b);
        expect(&b, "lkmdt_top", false, "top requested, mid dependency, base dependency");
        b.kept = "lkmdt_mid";
        expect(&b, "lkmdt_top", false, "top requested; mid stays kept; base stays in_use mid");
        b.kept = NULL;
        note(&b, "lkmdt_base", ORIGIN_CLIENT, PLAN_REQUESTED);
        expect(&b, "lkmdt_top", false, "top requested, mid dependency; base stays requested");
        expect(&b, "lkmdt_gone", false, "");
}

static void test_foreign(void **state) {
        _bench_ Bench b;

        bench_open(&b, "");
        put(&b, "lkmdt_top", "", 0);
        put(&b, "lkmdt_mid", "lkmdt_top", 0);
        put(&b, "lkmdt_base", "lkmdt_mid", 0);
        note(&b, "lkmdt_mid", ORIGIN_FOREIGN, PLAN_REQUESTED);
        expect(&b, "lkmdt_top", false, "top requested; mid stays not_lkmds; base stays not_lkmds");
}

static void test_users(void **state) {
        _cleanup_(unload_plan_freep) UnloadPlan *p = NULL;
        char *const names[] = { (char *) "lkmdt_base", NULL };
        _bench_ Bench b;
        UnloadSources s;

        bench_open(&b, "");
        put_chain(&b);
        expect(&b, "lkmdt_base", true, "top holder, mid holder, base requested");
        s = sources_of(&b);
        assert_ok(unload_plan_new(&p, &s, names, UNLOAD_REQUESTED, false));
        assert_string_equal(unload_plan_find_busy(p)->module, "lkmdt_base");
        assert_string_equal(unload_plan_find_busy(p)->holders_left[0], "lkmdt_mid");

        b.loaded[0].ref_count = 1;      /* somebody has opened what top makes */
        p = unload_plan_free(p);
        assert_ok(unload_plan_new(&p, &s, names, UNLOAD_REQUESTED, true));
        assert_string_equal(unload_plan_find_busy(p)->module, "lkmdt_top");
        assert_int_equal(unload_plan_find_busy(p)->refs_left, 1);
}

static void test_shared(void **state) {
        _bench_ Bench b;

        bench_open(&b, "");
        put_chain(&b);
        put(&b, "lkmdt_other", "", 0);
        assert_ok(string_list_append(&b.loaded[2].holders, "lkmdt_other", strlen("lkmdt_other")));
        b.loaded[2].ref_count++;
        expect(&b, "lkmdt_top", false, "top requested, mid dependency; base stays in_use other");
}

static void test_softdeps(void **state) {
        _bench_ Bench b;

        bench_open(
                &b,
                "softdep lkmdt_main pre: lkmdt_pre post: lkmdt_post\nsoftdep lkmdt_second pre: lkmdt_pre\n");
        for (size_t i = 4; i < 7; i++) {
                put(&b, modules[i].name, "", 0);
                note(&b, modules[i].name, ORIGIN_CLIENT, i == 4 ? PLAN_REQUESTED : PLAN_SOFTDEP_PRE);
        }
        expect(&b, "lkmdt_main", false, "post softdep_post, main requested, pre softdep_pre");
        put(&b, "lkmdt_second", "", 0);
        expect(&b, "lkmdt_main", false, "post softdep_post, main requested; pre stays wanted second");
}

/* btrfs names digests, and not the modules that compute them. */
static void test_softdeps_by_alias(void **state) {
        _bench_ Bench b;

        bench_open(
                &b,
                "softdep lkmdt_main pre: lkmdt_digest lkmdt_nobody\nsoftdep lkmdt_second pre: lkmdt_digest\n");
        for (size_t i = 4; i < 7; i++) {
                put(&b, modules[i].name, "", 0);
                note(&b, modules[i].name, ORIGIN_CLIENT, i == 4 ? PLAN_REQUESTED : PLAN_SOFTDEP_PRE);
        }
        expect(&b, "lkmdt_main", false, "main requested, post softdep_pre, pre softdep_pre");
        put(&b, "lkmdt_second", "", 0);
        expect(&b, "lkmdt_main", false, "main requested; post stays wanted second; pre stays wanted second");
}

static void test_remove_command(void **state) {
        _bench_ Bench b;

        bench_open(&b, "remove lkmdt_top /bin/true\n");
        put_chain(&b);
        expect(&b, "lkmdt_top", false, "top requested"); /* the command is responsible for the rest */
}

static void test_alone(void **state) {
        _cleanup_(unload_plan_freep) UnloadPlan *p = NULL;
        char *const names[] = { (char *) "lkmdt_top", NULL };
        _bench_ Bench b;
        UnloadSources s;

        bench_open(&b, "remove lkmdt_top /bin/true\nsoftdep lkmdt_top post: lkmdt_base\n");
        put_chain(&b);
        s = sources_of(&b);
        s.alone = true;
        assert_ok(unload_plan_new(&p, &s, names, UNLOAD_REQUESTED, false));
        assert_story(p, "top requested");
        assert_null(p->steps[0].command);
}

static void test_what_changes_meanwhile(void **state) {
        _cleanup_(unload_plan_freep) UnloadPlan *p = NULL;
        char *const names[] = { (char *) "lkmdt_top", NULL };
        _bench_ Bench b;
        UnloadSources s;

        bench_open(&b, "");
        put_chain(&b);
        s = sources_of(&b);
        assert_ok(unload_plan_new(&p, &s, names, UNLOAD_REQUESTED, false));
        assert_int_equal(unload_plan_recheck(p, &s, 0), 1);

        b.loaded[0].state = MODULE_ABSENT; /* top has gone */
        free(b.loaded[0].name);
        b.loaded[0].name = strdup("lkmdt_gone");
        b.loaded[1].ref_count = 0;
        string_list_free(b.loaded[1].holders);
        b.loaded[1].holders = NULL;
        assert_int_equal(unload_plan_recheck(p, &s, 1), 1);
        note(&b, "lkmdt_mid", ORIGIN_CLIENT, PLAN_REQUESTED); /* and now somebody wants mid */
        assert_int_equal(unload_plan_recheck(p, &s, 1), 0);
        assert_int_equal(p->n_stays, 1);
        assert_true(p->stays[0].changed);
        assert_int_equal(p->stays[0].kind, UNLOAD_STAYS_REQUESTED);
        assert_int_equal(unload_plan_recheck(p, &s, 2), 0); /* which uses base */
        assert_int_equal(p->stays[1].kind, UNLOAD_STAYS_IN_USE);
}

static void test_on_demand(void **state) {
        _bench_ Bench b;

        bench_open(&b, "");
        assert_false(ledger_is_on_demand(b.ledger, "lkmdt_top"));
        note(&b, "lkmdt_top", ORIGIN_KERNEL, PLAN_REQUESTED);
        note(&b, "lkmdt_mid", ORIGIN_KERNEL, PLAN_DEPENDENCY);
        note(&b, "lkmdt_other", ORIGIN_BOOT, PLAN_REQUESTED);
        assert_true(ledger_is_on_demand(b.ledger, "lkmdt_top"));
        assert_true(ledger_is_on_demand(b.ledger, "lkmdt_mid"));
        assert_false(ledger_is_on_demand(b.ledger, "lkmdt_other"));
        note(&b, "lkmdt_top", ORIGIN_CLIENT, PLAN_REQUESTED);
        assert_false(ledger_is_on_demand(b.ledger, "lkmdt_top"));
        ledger_module_gone(b.ledger, "lkmdt_top");
        assert_false(ledger_is_on_demand(b.ledger, "lkmdt_top"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dependencies),
                cmocka_unit_test(test_foreign),
                cmocka_unit_test(test_users),
                cmocka_unit_test(test_shared),
                cmocka_unit_test(test_softdeps),
                cmocka_unit_test(test_softdeps_by_alias),
                cmocka_unit_test(test_remove_command),
                cmocka_unit_test(test_alone),
                cmocka_unit_test(test_what_changes_meanwhile),
                cmocka_unit_test(test_on_demand),
        };

        return RUN_TESTS(tests);
}
