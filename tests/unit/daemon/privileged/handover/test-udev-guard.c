/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/handover/udev-guard.h"

#include <limits.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/device/udev-rule.h"
#include "scratch.h"
#include "test.h"

/* Names without the slash at their beginning, as the scratch directory has them. */
#define RULE "run/udev/rules.d/80-drivers.rules"
#define ETC_RULE "etc/udev/rules.d/80-drivers.rules"
#define LOCAL_RULE "usr/local/lib/udev/rules.d/80-drivers.rules"
#define LIB_RULE "usr/lib/udev/rules.d/80-drivers.rules"
#define CHARGE (&(LKMD_IN_CHARGE_FILE)[1])
#define CGROUP "/sys/fs/cgroup/system.slice/lkmd.service"
#define UDEVS "ACTION!=\"add\", GOTO=\"drivers_end\"\nENV{MODALIAS}==\"?*\", RUN{builtin}+=\"kmod load\"\nLABEL=\"drivers_end\"\n"
#define GUARD "\nTEST==\"" CGROUP "\", TEST{0100}==\"/run/lkmd/in-charge\", GOTO=\"lkmd_end\"\n"
#define END "\nLABEL=\"lkmd_end\"\n"

static char *read_text(const Scratch *s, const char *name) {
        FILE *f = fopen(scratch_path(s, name), "re");
        char *text = calloc(1, 2 * UDEV_RULE_MAX);

        assert_non_null(f);
        assert_non_null(text);
        assert_true(fread(text, 1, 2 * UDEV_RULE_MAX - 1, f) > 0);
        (void) fclose(f);
        return text;
}

/* The guard stands before udev's rules, the end behind them, and only comments before all of it. */
static void assert_guards(const Scratch *s, const char *rules) {
        _cleanup_(freep) char *text = read_text(s, RULE), *expected = NULL;
        struct stat st;
        char *guard;

        guard = strstr(text, GUARD);
        assert_non_null(guard);
        assert_true(asprintf(&expected, GUARD "%s" END, rules) > 0);
        assert_string_equal(guard, expected);
        for (const char *line = text; line <= guard; line = strchr(line, '\n') + 1)
                assert_int_equal(line[0], '#');
        assert_int_equal(lstat(scratch_path(s, RULE), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0644);
}

static void test_guard(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        scratch_mkdir(&s, "run");
        scratch_write(&s, LIB_RULE, UDEVS);
        assert_false(udev_rule_leaves_it_to_lkmd(s.dir));
        assert_int_equal(handover_guard(s.dir, CGROUP), 1);
        assert_guards(&s, UDEVS);
        assert_true(udev_rule_leaves_it_to_lkmd(s.dir));
        assert_int_equal(handover_guard(s.dir, CGROUP), 0); /* a restart: udev has read it */
        scratch_write(&s, LIB_RULE, "# another version\\");
        assert_int_equal(handover_guard(s.dir, CGROUP), 1);
        assert_guards(&s, "# another version\\");
        assert_int_equal(handover_guard(s.dir, "/elsewhere/lkmd.service"), 1);
}

/* What would be in force without ours. With a file of the administrator's in /usr/local there is no guard. */
static void test_whose_rules(void **state) {
        static const char *const libs[] = { UDEVS, "", NULL };

        for (size_t i = 0; i < ARRAY_LEN(libs); i++) {
                _cleanup_(scratch_close) Scratch s;

                scratch_open(&s);
                scratch_mkdir(&s, "run");
                if (libs[i])
                        scratch_write(&s, LIB_RULE, libs[i]);
                assert_int_equal(handover_guard(s.dir, CGROUP), 1);
                assert_guards(&s, libs[i] ?: "");
                scratch_link(&s, LOCAL_RULE, "/dev/null");
                assert_int_equal(handover_guard(s.dir, CGROUP), 1);
                assert_int_equal(access(scratch_path(&s, RULE), F_OK), -1);
                assert_int_equal(handover_guard(s.dir, CGROUP), 0);
                scratch_write(&s, RULE, "# mine\n");
                assert_int_equal(handover_guard(s.dir, CGROUP), -EEXIST);
                scratch_remove(&s, RULE);
                scratch_remove(&s, LOCAL_RULE);
                assert_int_equal(handover_guard(s.dir, CGROUP), 1);
                assert_guards(&s, libs[i] ?: "");
        }
}

static void test_rules_that_are_none(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(freep) char *large = malloc(UDEV_RULE_MAX + 2);

        assert_non_null(large);
        memset(large, '#', UDEV_RULE_MAX + 1);
        large[UDEV_RULE_MAX + 1] = '\0';
        scratch_open(&s);
        scratch_mkdir(&s, "run");
        scratch_write(&s, LIB_RULE, large);
        assert_int_equal(handover_guard(s.dir, CGROUP), -EFBIG);
        scratch_write_bytes(&s, LIB_RULE, "a\0b", 3);
        assert_int_equal(handover_guard(s.dir, CGROUP), -EBADMSG);
        assert_int_equal(access(scratch_path(&s, RULE), F_OK), -1);
        large[UDEV_RULE_MAX] = '\0';
        scratch_write(&s, LIB_RULE, large);
        assert_int_equal(handover_guard(s.dir, CGROUP), 1);
        assert_guards(&s, large);
}

/* What an earlier lkmd left gives way; what somebody else made does not. */
static void test_what_was_there(void **state) {
        static const struct {
                const char *link, *text;
                int expected;
        } cases[] = {
                { "/dev/null", NULL, 1 },
                { NULL, UDEV_RULE_HEAD " of long ago\n", 1 },
                { NULL, "# my own", -EEXIST },
                { NULL, "", -EEXIST },
                { NULL, " " UDEV_RULE_HEAD, -EEXIST },
                { "/dev/nul", NULL, -EEXIST },
                { "/dev/nullx", NULL, -EEXIST },
                { "/dev/null/", NULL, -EEXIST },
                { "null", NULL, -EEXIST },
                { "/", NULL, -EEXIST },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;
                char target[PATH_MAX] = "";

                scratch_open(&s);
                scratch_write(&s, LIB_RULE, UDEVS);
                if (cases[i].link)
                        scratch_link(&s, RULE, cases[i].link);
                else
                        scratch_write(&s, RULE, cases[i].text);
                assert_int_equal(handover_guard(s.dir, CGROUP), cases[i].expected);
                if (cases[i].expected == 1)
                        assert_guards(&s, UDEVS);
                else if (cases[i].link) {
                        assert_true(readlink(scratch_path(&s, RULE), target, sizeof(target) - 1) > 0);
                        assert_string_equal(target, cases[i].link);
                } else if (cases[i].text[0] != '\0') {
                        _cleanup_(freep) char *text = read_text(&s, RULE);

                        assert_string_equal(text, cases[i].text);
                }
        }
}

static void test_directory_at_its_place(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        scratch_mkdir(&s, RULE);
        assert_int_equal(handover_guard(s.dir, CGROUP), -EEXIST);
        assert_int_equal(rmdir(scratch_path(&s, RULE)), 0);
}

static void test_no_run(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        assert_int_equal(handover_guard(s.dir, CGROUP), -ENOENT);
        scratch_write(&s, "run", "a file");
        assert_int_equal(handover_guard(s.dir, CGROUP), -ENOTDIR);
        assert_int_equal(handover_take_run_dir(s.dir), -ENOTDIR);
}

static void test_who_leaves_it_to_lkmd(void **state) {
        static const struct {
                const char *where, *text; /* @text NULL: a link to /dev/null */
                bool expected;
        } cases[] = {
                { RULE, UDEV_RULE_HEAD ", see", true },     { RULE, NULL, true },      { RULE, "", true },
                { RULE, "# mine", false },                  { ETC_RULE, NULL, true },  { ETC_RULE, "", true },
                { ETC_RULE, "# mine", false },              { LOCAL_RULE, NULL, true }, { LOCAL_RULE, UDEVS, false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;

                scratch_open(&s);
                scratch_write(&s, LIB_RULE, UDEVS);
                if (cases[i].text)
                        scratch_write(&s, cases[i].where, cases[i].text);
                else
                        scratch_link(&s, cases[i].where, "/dev/null");
                assert_int_equal(udev_rule_leaves_it_to_lkmd(s.dir), cases[i].expected);
        }
}

/* Whose file is in the place of udev's. */
static void test_own_rule(void **state) {
        static const struct {
                const char *where, *text, *expected; /* @text NULL: a link to /dev/null */
        } cases[] = {
                { RULE, UDEV_RULE_HEAD ", see", NULL },
                { RULE, NULL, NULL },
                { RULE, "", "/" RULE },
                { RULE, "# mine", "/" RULE },
                { ETC_RULE, NULL, "/" ETC_RULE },
                { ETC_RULE, "", "/" ETC_RULE },
                { ETC_RULE, "# mine", "/" ETC_RULE },
                { ETC_RULE, UDEVS, "/" ETC_RULE },
                { LOCAL_RULE, NULL, "/" LOCAL_RULE },
                { LOCAL_RULE, UDEVS, "/" LOCAL_RULE },
                { LIB_RULE, UDEVS, NULL },
                { LIB_RULE, NULL, NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;
                const char *own;

                scratch_open(&s);
                scratch_mkdir(&s, "run");
                if (cases[i].text)
                        scratch_write(&s, cases[i].where, cases[i].text);
                else
                        scratch_link(&s, cases[i].where, "/dev/null");
                own = udev_rule_find_own(s.dir);
                assert_string_equal(own ?: "", cases[i].expected ?: "");
        }
}

static void test_cgroup(void **state) {
        static const struct {
                const char *dir, *text, *expected;
                int error;
        } cases[] = {
                { CGROUP, "0::/system.slice/lkmd.service\n", CGROUP, 0 },
                { CGROUP, "0::/system.slice/lkmd.service", CGROUP, 0 },
                { "/sys/fs/cgroup/unified/a/lkmd.service", "3:cpu:/\n0::/a/lkmd.service\n",
                  "/sys/fs/cgroup/unified/a/lkmd.service", 0 },
                { "/sys/fs/cgroup/systemd/a/lkmd.service", "3:cpu:/\n1:name=systemd:/a/lkmd.service\n",
                  "/sys/fs/cgroup/systemd/a/lkmd.service", 0 },
                { "/sys/fs/cgroup/x-y\\x2dz.slice/lkmd.service", "0::/x-y\\x2dz.slice/lkmd.service\n",
                  "/sys/fs/cgroup/x-y\\x2dz.slice/lkmd.service", 0 },
                { "/sys/fs/cgroup/user.slice/session-1.scope", "0::/user.slice/session-1.scope\n", NULL, -EBADMSG },
                { "/sys/fs/cgroup/a*/lkmd.service", "0::/a*/lkmd.service\n", NULL, -EBADMSG },
                { "/sys/fs/cgroup/a\"/lkmd.service", "0::/a\"/lkmd.service\n", NULL, -EBADMSG },
                { "/sys/fs/cgroup/a$b/lkmd.service", "0::/a$b/lkmd.service\n", NULL, -EBADMSG },
                { CGROUP, "0::/elsewhere/lkmd.service\n", NULL, -ENOENT },
                { CGROUP, "0::/\n", NULL, -ENOENT },
                { CGROUP, "nonsense\n", NULL, -ENOENT },
                { CGROUP, "", NULL, -ENOENT },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;
                _cleanup_(freep) char *found = NULL;

                scratch_open(&s);
                scratch_mkdir(&s, cases[i].dir + 1);
                assert_int_equal(handover_find_cgroup(s.dir, cases[i].text, &found), cases[i].error);
                if (cases[i].expected)
                        assert_string_equal(found, cases[i].expected);
                else
                        assert_null(found);
        }
}

static mode_t charge_of(const Scratch *s) {
        mode_t charge = 0;

        assert_int_equal(handover_read_charge(s->dir, &charge), 0);
        return charge;
}

/* Through the life of three managers, of which the second is never in charge. */
static void test_charge(void **state) {
        _cleanup_(scratch_close) Scratch s;
        struct stat st;

        scratch_open(&s);
        scratch_mkdir(&s, "run");
        assert_int_equal(handover_set_charge(s.dir, IN_CHARGE_NOW, 0), 0); /* nothing is there */
        assert_int_equal(charge_of(&s), 0);
        assert_int_equal(handover_take_run_dir(s.dir), 0);
        assert_int_equal(handover_open_charge(s.dir, getuid(), getgid()), 0);
        assert_int_equal(charge_of(&s), 0);
        assert_int_equal(lstat(scratch_path(&s, CHARGE), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);

        assert_int_equal(chmod(scratch_path(&s, CHARGE), 0710), 0);
        assert_int_equal(charge_of(&s), IN_CHARGE_NOW | IN_CHARGE_BEFORE);
        assert_int_equal(handover_set_charge(s.dir, IN_CHARGE_NOW, 0), 0);
        assert_int_equal(charge_of(&s), IN_CHARGE_BEFORE);
        assert_int_equal(handover_open_charge(s.dir, getuid(), getgid()), 0);
        assert_int_equal(charge_of(&s), IN_CHARGE_OWED);
        assert_int_equal(handover_open_charge(s.dir, getuid(), getgid()), 0);
        assert_int_equal(charge_of(&s), IN_CHARGE_OWED);
        assert_int_equal(chmod(scratch_path(&s, CHARGE), 04710), 0); /* nothing else of the mode stays */
        assert_int_equal(handover_set_charge(s.dir, IN_CHARGE_NOW | IN_CHARGE_BEFORE | IN_CHARGE_OWED, 0), 0);
        assert_int_equal(lstat(scratch_path(&s, CHARGE), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
}

/* What somebody who owned /run/lkmd could have put there. */
static void test_charge_that_is_none(void **state) {
        static const char *const cases[] = { "link", "dangling", "fifo", "directory", "hard link", "text" };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;
                const char *path;
                struct stat st;
                int expected = 0;

                scratch_open(&s);
                scratch_write(&s, "victim", "");
                scratch_mkdir(&s, "run/lkmd");
                path = scratch_path(&s, CHARGE);
                if (streq(cases[i], "link"))
                        scratch_link(&s, CHARGE, scratch_path(&s, "victim"));
                else if (streq(cases[i], "dangling"))
                        scratch_link(&s, CHARGE, scratch_path(&s, "nothing"));
                else if (streq(cases[i], "fifo"))
                        assert_int_equal(mkfifo(path, 0777), 0);
                else if (streq(cases[i], "hard link"))
                        assert_int_equal(link(scratch_path(&s, "victim"), path), 0);
                else if (streq(cases[i], "text"))
                        scratch_write(&s, CHARGE, "text");
                else {
                        scratch_mkdir(&s, CHARGE);
                        expected = -EISDIR;
                }
                assert_int_equal(chmod(scratch_path(&s, "victim"), 0644), 0);
                assert_int_equal(handover_open_charge(s.dir, getuid(), getgid()), expected);
                assert_int_equal(lstat(scratch_path(&s, "victim"), &st), 0);
                assert_int_equal(st.st_mode, S_IFREG | 0644);
                assert_int_equal(access(scratch_path(&s, "nothing"), F_OK), -1);
                if (expected == 0) {
                        assert_int_equal(lstat(path, &st), 0);
                        assert_int_equal(st.st_mode, S_IFREG | 0600);
                }
        }
}

static void test_run_dir(void **state) {
        _cleanup_(scratch_close) Scratch s;
        struct stat st;

        scratch_open(&s);
        scratch_mkdir(&s, "run/elsewhere");
        assert_int_equal(chmod(scratch_path(&s, "run/elsewhere"), 0700), 0);
        scratch_link(&s, "run/lkmd", "elsewhere");
        assert_int_equal(handover_take_run_dir(s.dir), -ENOTDIR);
        assert_int_equal(stat(scratch_path(&s, "run/elsewhere"), &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0700);
        scratch_remove(&s, "run/lkmd");
        assert_int_equal(handover_take_run_dir(s.dir), 0);
        assert_int_equal(lstat(scratch_path(&s, "run/lkmd"), &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0755);
}

static void test_listening(void **state) {
        static const char sockets[] =
                "Num       RefCount Protocol Flags    Type St Inode Path\n"
                "00000000abcdef01: 00000002 00000000 00010000 0005 01 12345 /run/lkmd/other\n"
                "00000000abcdef02: 00000003 00000000 00000000 0005 03 12346 /run/lkmd/connected\n"
                "00000000abcdef03: 00000003 00000000 00000000 0005 03 12347\n"
                "00000000abcdef04: 00000002 00000000 00010000 0005 01 12348 /run/lkmd/loader\n"
                "00000000abcdef05: 00000002 00000000 00010000 0005 01 12349 @/run/lkmd/abstract\n"
                "nonsense /run/lkmd/nonsense\n";
        static const struct {
                const char *path;
                bool expected;
        } cases[] = {
                { "/run/lkmd/loader", true },   { "/run/lkmd/other", true },     { "/run/lkmd/connected", false },
                { "/run/lkmd/load", false },    { "/run/lkmd/loader2", false },  { "/run/lkmd/abstract", false },
                { "/run/lkmd/nonsense", false }, { "", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                FILE *f = fmemopen((void *) sockets, strlen(sockets), "r");

                assert_non_null(f);
                assert_int_equal(handover_is_listening(f, cases[i].path), cases[i].expected);
                (void) fclose(f);
        }
}

/* In lkmd's own directory: what calls may be anything, and is gone afterwards, or systemd would start us for ever. */
static void test_call(void **state) {
        _cleanup_(scratch_close) Scratch s;
        char path[PATH_MAX];

        scratch_open(&s);
        assert_ok(handover_answer_call(s.dir)); /* there is no directory */
        scratch_write(&s, &LKMD_HANDOVER_CALL_FILE[1], "");
        assert_ok(handover_answer_call(s.dir));
        assert_ok(handover_answer_call(s.dir));
        (void) snprintf(path, sizeof(path), "%s%s", s.dir, LKMD_HANDOVER_CALL_FILE);
        assert_int_equal(symlink("/etc/passwd", path), 0);
        assert_ok(handover_answer_call(s.dir));
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_ok(handover_answer_call(s.dir));
        assert_int_equal(mkdir(path, 0700), 0);
        assert_ok(handover_answer_call(s.dir));
        assert_int_equal(access(path, F_OK), -1);
        assert_int_equal(access("/etc/passwd", F_OK), 0);
        scratch_write(&s, &LKMD_HANDOVER_CALL_FILE "/full"[1], "");
        assert_int_equal(handover_answer_call(s.dir), -ENOTEMPTY);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_call),
                cmocka_unit_test(test_guard),
                cmocka_unit_test(test_whose_rules),
                cmocka_unit_test(test_rules_that_are_none),
                cmocka_unit_test(test_what_was_there),
                cmocka_unit_test(test_directory_at_its_place),
                cmocka_unit_test(test_no_run),
                cmocka_unit_test(test_who_leaves_it_to_lkmd),
                cmocka_unit_test(test_own_rule),
                cmocka_unit_test(test_cgroup),
                cmocka_unit_test(test_charge),
                cmocka_unit_test(test_charge_that_is_none),
                cmocka_unit_test(test_run_dir),
                cmocka_unit_test(test_listening),
        };

        return RUN_TESTS(tests);
}
