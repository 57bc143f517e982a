/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/handover/handover-denied.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/base/paths.h"
#include "scratch.h"
#include "test.h"

#define NAMES (&(LKMD_DENIED_FILE)[1])  /* without the slash at its beginning */
#define CONF (&(LKMD_DENIED_CONF)[1])

/* The lines that are no comments; NULL: there is no file. */
static char *read_conf(const Scratch *s) {
        FILE *f = fopen(scratch_path(s, CONF), "re");
        char *text = NULL, *line = NULL;
        size_t size, allocated = 0;
        FILE *out;

        if (!f)
                return NULL;
        out = open_memstream(&text, &size);
        assert_non_null(out);
        while (getline(&line, &allocated, f) >= 0)
                if (line[0] != '#')
                        (void) fputs(line, out);
        free(line);
        (void) fclose(f);
        (void) fclose(out);
        return text;
}

static void assert_conf(const Scratch *s, const char *expected) {
        _cleanup_(freep) char *conf = read_conf(s);
        struct stat st;

        if (!expected) {
                assert_null(conf);
                return;
        }
        assert_non_null(conf);
        assert_string_equal(conf, expected);
        assert_int_equal(lstat(scratch_path(s, CONF), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0644);
}

#define ONE "install e1000e /bin/false\nblacklist e1000e\n"
#define TWO "install iTCO_wdt /bin/false\nblacklist iTCO_wdt\n"

static void test_update(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        scratch_mkdir(&s, "run/lkmd/state");
        assert_int_equal(handover_update_denied(s.dir, getuid()), 0); /* lkmd has said nothing yet */
        assert_conf(&s, NULL);
        scratch_write(&s, NAMES, "");
        assert_int_equal(handover_update_denied(s.dir, getuid()), 0);
        assert_conf(&s, NULL);
        scratch_write(&s, NAMES, "e1000e\niTCO_wdt\n");
        assert_int_equal(handover_update_denied(s.dir, getuid()), 1);
        assert_conf(&s, ONE TWO);
        assert_int_equal(handover_update_denied(s.dir, getuid()), 0);
        scratch_write(&s, NAMES, LKMD_DENIED_FORGET "e1000e\n");
        assert_int_equal(handover_update_denied(s.dir, getuid()), 1);
        assert_conf(&s, ONE);
        scratch_remove(&s, NAMES);
        assert_int_equal(handover_update_denied(s.dir, getuid()), 0); /* no word that it is another now */
        assert_conf(&s, ONE);
        scratch_write(&s, NAMES, LKMD_DENIED_FORGET);
        assert_int_equal(handover_update_denied(s.dir, getuid()), 1);
        assert_conf(&s, NULL);
        assert_int_equal(handover_update_denied(s.dir, getuid()), 0);
}

/* What lkmd.conf says stands before the names, and is none. */
static void test_head(void **state) {
        static const struct {
                const char *text, *conf;
                int closed, forgets;
        } cases[] = {
                { LKMD_DENIED_CLOSED "e1000e\n", ONE, 1, 0 },
                { LKMD_DENIED_FORGET LKMD_DENIED_CLOSED "e1000e\n", ONE, 1, 1 },
                { LKMD_DENIED_FORGET "e1000e\n", ONE, 0, 1 },
                { "e1000e\n", ONE, 0, 0 },
                { LKMD_DENIED_CLOSED, NULL, 1, 0 },
                { "", NULL, 0, 0 },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;

                scratch_open(&s);
                scratch_mkdir(&s, "run/lkmd/state");
                assert_int_equal(handover_is_closed(s.dir, getuid()), 0);
                scratch_write(&s, NAMES, cases[i].text);
                assert_int_equal(handover_update_denied(s.dir, getuid()), cases[i].conf != NULL);
                assert_conf(&s, cases[i].conf);
                assert_int_equal(handover_is_closed(s.dir, getuid()), cases[i].closed);
                assert_int_equal(handover_forget_denied(s.dir, getuid()), cases[i].forgets);
                assert_conf(&s, cases[i].forgets ? NULL : cases[i].conf);
        }
}

/* In another order they are names, and no valid ones. */
static void test_head_in_another_order(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        scratch_mkdir(&s, "run/lkmd/state");
        scratch_write(&s, NAMES, LKMD_DENIED_CLOSED LKMD_DENIED_FORGET "e1000e\n");
        assert_int_equal(handover_update_denied(s.dir, getuid()), -EBADMSG);
        scratch_remove(&s, NAMES);
        scratch_link(&s, NAMES, "/dev/zero");
        assert_true(handover_is_closed(s.dir, getuid()) < 0);
}

static void test_forget(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_open(&s);
        assert_int_equal(handover_forget_denied(s.dir, getuid()), 0);
        scratch_write(&s, NAMES, "e1000e\n");
        assert_int_equal(handover_update_denied(s.dir, getuid()), 1);
        assert_int_equal(handover_forget_denied(s.dir, getuid()), 0);
        assert_conf(&s, ONE);
        scratch_write(&s, NAMES, LKMD_DENIED_FORGET "e1000e\n");
        assert_int_equal(handover_forget_denied(s.dir, getuid()), 1);
        assert_conf(&s, NULL);
        assert_int_equal(handover_forget_denied(s.dir, getuid()), 1);
}

/* Nothing but names, and each line whole: what holds already stays. */
static void test_nonsense(void **state) {
        static const char *const cases[] = {
                "e1000e", "e1000e\n\n", "\n", "a b\n", "a-b\n", "a/b\n", "../x\n", "a\tb\n", "a\\\n", "*\n", "a#\n",
                "#\n", "#forge\n", ("e1000e\n" LKMD_DENIED_FORGET), "a\rb\n", "\xc3\xa4\n", "a;reboot\n", "$(x)\n",
                "a12345678901234567890123456789012345678901234567890123456\n",
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;

                scratch_open(&s);
                scratch_write(&s, NAMES, "e1000e\n");
                assert_int_equal(handover_update_denied(s.dir, getuid()), 1);
                scratch_write(&s, NAMES, cases[i]);
                if (handover_update_denied(s.dir, getuid()) != -EBADMSG)
                        fail_msg("taken: %s", cases[i]);
                assert_conf(&s, ONE);
                scratch_write_bytes(&s, NAMES, "a\0b\n", 4);
                assert_int_equal(handover_update_denied(s.dir, getuid()), -EBADMSG);
                assert_conf(&s, ONE);
        }
}

static void test_no_file_of_lkmds(void **state) {
        static const char *const cases[] = { "link", "dangling", "fifo", "directory", "somebody else's" };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;
                uid_t uid = getuid();

                scratch_open(&s);
                scratch_mkdir(&s, "run/lkmd/state");
                scratch_write(&s, "other", "e1000e\n");
                if (streq(cases[i], "link"))
                        scratch_link(&s, NAMES, scratch_path(&s, "other"));
                else if (streq(cases[i], "dangling"))
                        scratch_link(&s, NAMES, "/nothing");
                else if (streq(cases[i], "fifo"))
                        assert_int_equal(mkfifo(scratch_path(&s, NAMES), 0666), 0);
                else if (streq(cases[i], "directory"))
                        scratch_mkdir(&s, NAMES);
                else {
                        scratch_write(&s, NAMES, "e1000e\n");
                        assert_int_equal(chown(scratch_path(&s, NAMES), uid + 7, (gid_t) -1), 0);
                }
                assert_int_equal(handover_update_denied(s.dir, uid), -EBADMSG);
                assert_conf(&s, NULL);
        }
}

static void test_conf_dirs(void **state) {
        static const struct timespec long_ago[] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
        _cleanup_(scratch_close) Scratch s;
        struct stat st;

        scratch_open(&s);
        assert_int_equal(handover_make_conf_dir(s.dir), -ENOENT);
        scratch_mkdir(&s, "run");
        assert_int_equal(handover_make_conf_dir(s.dir), 1);
        assert_int_equal(handover_make_conf_dir(s.dir), 0);
        assert_int_equal(handover_touch_conf_dirs(s.dir), -ENOENT);
        scratch_mkdir(&s, "usr/lib/modprobe.d");
        assert_int_equal(utimensat(AT_FDCWD, scratch_path(&s, "usr/lib/modprobe.d"), long_ago, 0), 0);
        assert_int_equal(handover_touch_conf_dirs(s.dir), 0);
        assert_int_equal(stat(scratch_path(&s, "usr/lib/modprobe.d"), &st), 0);
        assert_true(st.st_mtim.tv_sec > 1);
}

static void test_too_much(void **state) {
        _cleanup_(scratch_close) Scratch s;
        _cleanup_(freep) char *text = malloc(LKMD_DENIED_CONF_MAX + 2);

        assert_non_null(text);
        for (size_t i = 0; i < LKMD_DENIED_CONF_MAX; i += 2)
                (void) memcpy(text + i, "a\n", 2);
        text[LKMD_DENIED_CONF_MAX] = text[LKMD_DENIED_CONF_MAX + 1] = '\0';
        scratch_open(&s);
        scratch_write(&s, NAMES, text);
        assert_int_equal(handover_update_denied(s.dir, getuid()), -EFBIG); /* what it would become */
        text[LKMD_DENIED_CONF_MAX] = 'a';
        scratch_write(&s, NAMES, text);
        assert_int_equal(handover_update_denied(s.dir, getuid()), -EFBIG);
        assert_conf(&s, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_update),
                cmocka_unit_test(test_head),
                cmocka_unit_test(test_head_in_another_order),
                cmocka_unit_test(test_forget),
                cmocka_unit_test(test_nonsense),
                cmocka_unit_test(test_no_file_of_lkmds),
                cmocka_unit_test(test_conf_dirs),
                cmocka_unit_test(test_too_much),
        };

        return RUN_TESTS(tests);
}
