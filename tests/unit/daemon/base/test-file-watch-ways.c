/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ways to a file: whatever of them changes, and as often as it does, the next look at the loop knows. */

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/base/limits.h"
#include "daemon-bench.h"
#include "test.h"
#include "watch-bench.h"

#define ROUNDS 100U
#define DEADLINE_USEC (20U * 1000U * 1000U)

/* Nothing has been reported yet, and will not be for what was there before. */
static void bench_watch(WatchBench *b) {
        watch_bench_start(b, "etc/lkmd/policy.d", ".yaml");
        event_settle(b->event);
        b->n_changes = 0;
}

/* As before each decision: events first, then a comparison of what inotify does not report. */
static bool changed(WatchBench *b) {
        event_settle(b->event);
        file_watch_look(b->watch);
        return watch_bench_changed(b);
}

static void put(const WatchBench *b, const char *name, unsigned round) {
        char text[32];

        snprintf(text, sizeof(text), "round %u", round);
        scratch_write(&b->scratch, name, text);
}

/* A link to @to takes the place of another. */
static void relink(const WatchBench *b, const char *name, const char *to) {
        scratch_link(&b->scratch, "new-link", to);
        scratch_move(&b->scratch, "new-link", name);
}

static void swap(const WatchBench *b, const char *one, const char *other) {
        const char *path = scratch_path(&b->scratch, one), *other_path = scratch_path(&b->scratch, other);

        assert_int_equal(renameat2(AT_FDCWD, path, AT_FDCWD, other_path, RENAME_EXCHANGE), 0);
}

/* ----------------------------------------------------------------------------------------------- plain files */

static void lay_file(const WatchBench *b) {
        put(b, "etc/lkmd/policy.d/a.yaml", 0);
}

static void edit_in_place(const WatchBench *b, unsigned round) {
        put(b, "etc/lkmd/policy.d/a.yaml", round);
}

static void rename_over(const WatchBench *b, unsigned round) {
        put(b, "etc/lkmd/policy.d/a.tmp", round);
        scratch_move(&b->scratch, "etc/lkmd/policy.d/a.tmp", "etc/lkmd/policy.d/a.yaml");
}

static void change_mode(const WatchBench *b, unsigned round) {
        assert_int_equal(chmod(scratch_path(&b->scratch, "etc/lkmd/policy.d/a.yaml"), round % 2 ? 0600 : 0644), 0);
}

static void lay_second_name(const WatchBench *b) {
        lay_file(b);
        assert_int_equal(link(scratch_path(&b->scratch, "etc/lkmd/policy.d/a.yaml"), scratch_path(&b->scratch, "store")), 0);
}

static void edit_by_second_name(const WatchBench *b, unsigned round) {
        put(b, "store", round);
}

/* ----------------------------------------------------------------------------------------------- directories */

static void lay_two_directories(const WatchBench *b) {
        lay_file(b);
        put(b, "etc/lkmd.new/policy.d/a.yaml", 1);
        put(b, "etc.new/lkmd/policy.d/a.yaml", 2);
        put(b, "etc/lkmd/policy.new/a.yaml", 2);
}

static void swap_policy_d(const WatchBench *b, unsigned round) {
        swap(b, "etc/lkmd/policy.d", "etc/lkmd/policy.new");
}

static void swap_lkmd(const WatchBench *b, unsigned round) {
        swap(b, "etc/lkmd", "etc/lkmd.new");
}

static void swap_etc(const WatchBench *b, unsigned round) {
        swap(b, "etc", "etc.new");
}

static void remake_directory(const WatchBench *b, unsigned round) {
        scratch_remove(&b->scratch, "etc/lkmd/policy.d/a.yaml");
        scratch_remove(&b->scratch, "etc/lkmd/policy.d");
        put(b, "etc/lkmd/policy.d/a.yaml", round);
}

static void take_directory_away(const WatchBench *b, unsigned round) {
        if (round % 2)
                scratch_move(&b->scratch, "etc/lkmd", "etc/away");
        else
                scratch_move(&b->scratch, "etc/away", "etc/lkmd");
}

/* ----------------------------------------------------------------------------------------------------- links */

static void lay_linked_policy_d(const WatchBench *b) {
        put(b, "one/a.yaml", 0);
        put(b, "two/a.yaml", 0);
        scratch_mkdir(&b->scratch, "etc/lkmd");
        scratch_link(&b->scratch, "etc/lkmd/policy.d", "../../one");
}

static void switch_policy_d(const WatchBench *b, unsigned round) {
        relink(b, "etc/lkmd/policy.d", round % 2 ? "../../two" : "../../one");
}

static void edit_in_linked_policy_d(const WatchBench *b, unsigned round) {
        put(b, "one/a.yaml", round);
}

static void lay_chain(const WatchBench *b) {
        put(b, "versions/1/d/a.yaml", 0);
        put(b, "versions/2/d/a.yaml", 0);
        scratch_link(&b->scratch, "current", "versions/1");
        scratch_link(&b->scratch, "stable", "./current");
        scratch_mkdir(&b->scratch, "etc");
        scratch_link(&b->scratch, "etc/lkmd", scratch_path(&b->scratch, "conf"));
        scratch_mkdir(&b->scratch, "conf");
        scratch_link(&b->scratch, "conf/policy.d", "../etc/../stable//d");
}

static void switch_in_chain(const WatchBench *b, unsigned round) {
        relink(b, "current", round % 2 ? "versions/2" : "versions/1");
}

static void edit_at_end_of_chain(const WatchBench *b, unsigned round) {
        put(b, "versions/1/d/a.yaml", round);
}

static void break_chain(const WatchBench *b, unsigned round) {
        relink(b, "current", round % 2 ? "nowhere/at/all" : "versions/1");
}

static void tie_chain_in_a_loop(const WatchBench *b, unsigned round) {
        relink(b, "current", round % 2 ? "stable" : "versions/1");
}

static void lay_linked_file(const WatchBench *b) {
        put(b, "store/one", 0);
        put(b, "store/two", 0);
        scratch_link(&b->scratch, "middle", "store/one");
        scratch_mkdir(&b->scratch, "etc/lkmd/policy.d");
        scratch_link(&b->scratch, "etc/lkmd/policy.d/a.yaml", "../../../middle");
}

static void edit_linked_file(const WatchBench *b, unsigned round) {
        put(b, "store/one", round);
}

static void replace_linked_file(const WatchBench *b, unsigned round) {
        put(b, "store/new", round);
        scratch_move(&b->scratch, "store/new", "store/one");
}

static void switch_linked_file(const WatchBench *b, unsigned round) {
        relink(b, "middle", round % 2 ? "store/two" : "store/one");
}

static void remove_linked_file(const WatchBench *b, unsigned round) {
        if (round % 2)
                scratch_remove(&b->scratch, "store/one");
        else
                put(b, "store/one", round);
}

/* As kubelet mounts a ConfigMap: all files change at one stroke, by one link that no file is named after. */
static void lay_config_map(const WatchBench *b) {
        put(b, "etc/lkmd/policy.d/..2026_0/a.yaml", 0);
        put(b, "etc/lkmd/policy.d/..2026_1/a.yaml", 1);
        scratch_link(&b->scratch, "etc/lkmd/policy.d/..data", "..2026_0");
        scratch_link(&b->scratch, "etc/lkmd/policy.d/a.yaml", "..data/a.yaml");
}

static void switch_config_map(const WatchBench *b, unsigned round) {
        scratch_link(&b->scratch, "etc/lkmd/policy.d/..data_tmp", round % 2 ? "..2026_1" : "..2026_0");
        scratch_move(&b->scratch, "etc/lkmd/policy.d/..data_tmp", "etc/lkmd/policy.d/..data");
}

static const struct {
        const char *name;
        void (*lay)(const WatchBench *b);
        void (*change)(const WatchBench *b, unsigned round);
} ways[] = {
        { "edited in place",               lay_file,            edit_in_place           },
        { "renamed over",                  lay_file,            rename_over             },
        { "other rights",                  lay_file,            change_mode             },
        { "edited by its second name",     lay_second_name,     edit_by_second_name     },
        { "policy.d swapped",              lay_two_directories, swap_policy_d           },
        { "lkmd swapped",                  lay_two_directories, swap_lkmd               },
        { "etc swapped",                   lay_two_directories, swap_etc                },
        { "policy.d made anew",            lay_file,            remake_directory        },
        { "lkmd away and back",            lay_file,            take_directory_away     },
        { "policy.d another link",         lay_linked_policy_d, switch_policy_d         },
        { "edited in a linked policy.d",   lay_linked_policy_d, edit_in_linked_policy_d },
        { "another link in a chain",       lay_chain,           switch_in_chain         },
        { "edited at the end of a chain",  lay_chain,           edit_at_end_of_chain    },
        { "chain broken and mended",       lay_chain,           break_chain             },
        { "chain in a loop and mended",    lay_chain,           tie_chain_in_a_loop     },
        { "linked file edited",            lay_linked_file,     edit_linked_file        },
        { "linked file replaced",          lay_linked_file,     replace_linked_file     },
        { "another link in the middle",    lay_linked_file,     switch_linked_file      },
        { "linked file removed and back",  lay_linked_file,     remove_linked_file      },
        { "another ..data",                lay_config_map,      switch_config_map       },
};

static void test_ways(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
                _cleanup_(watch_bench_close) WatchBench b = {};
                unsigned n_noticed = 0, n_for_nothing = 0;

                scratch_open(&b.scratch);
                ways[i].lay(&b);
                bench_watch(&b);
                for (unsigned round = 1; round <= ROUNDS; round++) {
                        ways[i].change(&b, round);
                        n_noticed += changed(&b);
                        if (round % 10 > 0)
                                continue;
                        put(&b, "unrelated", round);
                        n_for_nothing += changed(&b);
                }
                print_message("# %s\n", ways[i].name);
                assert_int_equal(n_noticed, ROUNDS);
                assert_int_equal(n_for_nothing, 0);
                assert_int_equal(file_watch_get_problems(b.watch)->n_items, 0);
        }
}

/* More events than the kernel keeps: what was lost may have been anything. */
static void test_lost_events(void **state) {
        _cleanup_(watch_bench_close) WatchBench b = {};
        const char *path;

        scratch_open(&b.scratch);
        lay_file(&b);
        bench_watch(&b);
        path = scratch_path(&b.scratch, "etc/lkmd/policy.d/unrelated");
        for (unsigned i = 0; i < 10000; i++) { /* two each; fs.inotify.max_queued_events is 16384 */
                assert_int_equal(mkdir(path, 0755), 0);
                assert_int_equal(rmdir(path), 0);
        }
        edit_in_place(&b, 1);
        assert_true(changed(&b));
        assert_false(changed(&b));
        edit_in_place(&b, 2);
        assert_true(changed(&b));
}

/* More links than there are watches for: it is said, and what changes is seen all the same. */
static void test_too_many_links(void **state) {
        _cleanup_(watch_bench_close) WatchBench b = {};

        scratch_open(&b.scratch);
        for (unsigned i = 0; i < FILE_WATCHES_MAX + 10; i++) {
                char name[64], to[64];

                snprintf(name, sizeof(name), "etc/lkmd/policy.d/%u.yaml", i);
                snprintf(to, sizeof(to), "../../../store/%u/file", i);
                put(&b, to + strlen("../../../"), 0);
                scratch_link(&b.scratch, name, to);
        }
        bench_watch(&b);
        assert_int_equal(file_watch_get_problems(b.watch)->n_items, 1);
        assert_non_null(strstr(file_watch_get_problems(b.watch)->items[0].message, "too many links"));
        scratch_remove(&b.scratch, "etc/lkmd/policy.d/1.yaml");
        assert_true(changed(&b));
}

/* ---------------------------------------------------------------------------------------------------- mounts */

#define MUST(condition)                                                                                  \
        do {                                                                                            \
                if (!(condition)) {                                                                     \
                        fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);         \
                        _exit(1);                                                                       \
                }                                                                                       \
        } while (0)

/* In a child with a namespace of its own, since there is no way back from it. */
static void in_namespace(int flags, void (*run)(void)) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                MUST(unshare(flags) == 0);
                run();
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void run_mounts(void) {
        static const char *const places[] = { "etc/lkmd/policy.d", "etc/lkmd", "etc", "etc/lkmd/policy.d/a.yaml" };
        static const char *const sources[] = { "other/lkmd/policy.d", "other/lkmd", "other", "other/lkmd/policy.d/a.yaml" };
        WatchBench b = {};

        MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        scratch_open(&b.scratch);
        put(&b, "etc/lkmd/policy.d/a.yaml", 0);
        put(&b, "other/lkmd/policy.d/a.yaml", 1);
        scratch_mkdir(&b.scratch, "unrelated");
        bench_watch(&b);
        for (unsigned round = 0; round < ROUNDS; round++) {
                const char *to = scratch_path(&b.scratch, places[round % ARRAY_LEN(places)]);
                const char *from = scratch_path(&b.scratch, sources[round % ARRAY_LEN(places)]);

                MUST(mount(from, to, NULL, MS_BIND, NULL) == 0);
                MUST(changed(&b));
                put(&b, "other/lkmd/policy.d/a.yaml", round);
                MUST(changed(&b));      /* what is mounted is watched */
                MUST(umount(to) == 0);
                MUST(changed(&b));
                put(&b, "etc/lkmd/policy.d/a.yaml", round);
                MUST(changed(&b));

                to = scratch_path(&b.scratch, "unrelated");
                MUST(mount(scratch_path(&b.scratch, "other"), to, NULL, MS_BIND, NULL) == 0);
                MUST(umount(to) == 0);
                MUST(!changed(&b));
        }
        watch_bench_close(&b);
}

static void test_mounts(void **state) {
        in_namespace(CLONE_NEWNS, run_mounts);
}

/* ------------------------------------------------------------------------------------------- no watches left */

static unsigned watches_left = UINT_MAX;

/* In the place of libc's, also for libsystemd: there are as many as the test says. */
int inotify_add_watch(int fd, const char *path, uint32_t mask) {
        if (watches_left == 0) {
                errno = ENOSPC;
                return -1;
        }
        if (watches_left != UINT_MAX)
                watches_left--;
        return (int) syscall(SYS_inotify_add_watch, fd, path, mask);
}

/* Until something changed, for which lkmd looks by the clock. */
static bool changes_in_time(WatchBench *b) {
        uint64_t now, end;

        assert_true(sd_event_now(b->event, CLOCK_MONOTONIC, &now) >= 0);
        for (end = now + DEADLINE_USEC; b->n_changes == 0 && now < end;) {
                assert_ok(sd_event_run(b->event, DEADLINE_USEC));
                assert_true(sd_event_now(b->event, CLOCK_MONOTONIC, &now) >= 0);
        }
        return changed(b);
}

static void test_no_watches_left(void **state) {
        _cleanup_(watch_bench_close) WatchBench b = {};
        const ProblemList *problems;

        scratch_open(&b.scratch);
        put(&b, "etc/lkmd/policy.d/a.yaml", 0);
        watches_left = 2;
        bench_watch(&b);
        problems = file_watch_get_problems(b.watch);
        assert_int_equal(problems->n_items, 1);
        assert_non_null(strstr(problems->items[0].message, "fs.inotify.max_user_watches"));

        watches_left = 0;
        put(&b, "etc/lkmd/policy.d/a.yaml", 123);
        assert_true(changes_in_time(&b));
        assert_int_equal(problems->n_items, 1);

        put(&b, "etc/lkmd/policy.d/a.yaml", 1234567);
        while (b.n_changes == 0)          /* as before every decision: the loop does not have to turn */
                file_watch_look(b.watch);
        assert_true(changed(&b));

        watches_left = UINT_MAX;        /* it is tried again, and what came in between is not lost */
        put(&b, "etc/lkmd/policy.d/b.yaml", 0);
        assert_true(changes_in_time(&b));
        assert_int_equal(problems->n_items, 0);
        put(&b, "etc/lkmd/policy.d/b.yaml", 1);
        assert_true(changed(&b));
}

/* Where nothing changes, it is noticed as well that there are watches again. */
static void test_watches_come_back(void **state) {
        _cleanup_(watch_bench_close) WatchBench b = {};

        scratch_open(&b.scratch);
        put(&b, "etc/lkmd/policy.d/a.yaml", 0);
        watches_left = 2;
        bench_watch(&b);
        watches_left = UINT_MAX;
        while (file_watch_get_problems(b.watch)->n_items > 0)
                assert_true(sd_event_run(b.event, DEADLINE_USEC) > 0);
        assert_int_equal(b.n_changes, 0);
        put(&b, "etc/lkmd/policy.d/a.yaml", 1);
        assert_true(changed(&b));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ways),
                cmocka_unit_test(test_lost_events),
                cmocka_unit_test(test_too_many_links),
                cmocka_unit_test(test_mounts),
                cmocka_unit_test(test_no_watches_left),
                cmocka_unit_test(test_watches_come_back),
        };

        return RUN_TESTS(tests);
}
