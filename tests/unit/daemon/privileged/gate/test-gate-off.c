/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/gate/gate-off.h"

#include <sys/stat.h>

#include "scratch.h"
#include "test.h"

#define BTF "sys/kernel/btf/vmlinux"
#define LOCKDOWN "sys/kernel/security/lockdown"
#define MODULES_DISABLED "proc/sys/kernel/modules_disabled"

static const struct {
        const char *command_line;
        bool btf;
        const char *lockdown, *modules_disabled; /* NULL: there is no such file */
        const char *expected;                   /* a part of the reason; NULL: there may be a gate */
} cases[] = {
        { "quiet", true, "[none] integrity confidentiality\n", "0\n", NULL },
        { "quiet", true, "none [integrity] confidentiality\n", "0\n", NULL },
        { "quiet", true, NULL, NULL, NULL },
        { "lkmd.gate=on", true, NULL, "0\n", NULL },
        { "lkmd.gate=off lkmd.gate=on", true, NULL, "0\n", NULL },
        { "quiet -- lkmd.gate=off", true, NULL, "0\n", NULL },
        { "xlkmd.gate=off", true, NULL, "0\n", NULL },
        { "quiet lkmd.gate=off ro", true, NULL, "0\n", "lkmd.gate=off" },
        { "lkmd.gate=0", true, NULL, "0\n", "lkmd.gate=off" },
        { "lkmd.gate=no", true, NULL, "0\n", "lkmd.gate=off" },
        { "quiet", false, NULL, "0\n", "no BTF" },
        { "quiet", true, "none integrity [confidentiality]\n", "0\n", "lockdown=confidentiality" },
        { "quiet", true, NULL, "1\n", "kernel.modules_disabled" },
};

static void test_reasons(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(scratch_close) Scratch s;
                const char *reason = NULL;

                scratch_open(&s);
                scratch_write(&s, "proc/cmdline", cases[i].command_line);
                if (cases[i].btf)
                        scratch_write(&s, BTF, "");
                if (cases[i].lockdown)
                        scratch_write(&s, LOCKDOWN, cases[i].lockdown);
                if (cases[i].modules_disabled)
                        scratch_write(&s, MODULES_DISABLED, cases[i].modules_disabled);
                assert_ok(gate_why_off(s.dir, &reason));
                if (!cases[i].expected)
                        assert_null(reason);
                else {
                        assert_non_null(reason);
                        assert_non_null(strstr(reason, cases[i].expected));
                }
        }
}

static void test_no_command_line(void **state) {
        _cleanup_(scratch_close) Scratch s;
        const char *reason = NULL;

        scratch_open(&s);
        assert_int_equal(gate_why_off(s.dir, &reason), -ENOENT);
}

/* It is read by everybody, whatever the umask of the unit. */
static void test_file(void **state) {
        _cleanup_(scratch_close) Scratch s;
        char text[64] = {};
        struct stat st;
        FILE *f;

        scratch_open(&s);
        assert_ok(gate_write_off(scratch_path(&s, "off"), NULL));
        (void) umask(077);
        assert_ok(gate_write_off(scratch_path(&s, "off"), "a much longer reason than the next one"));
        assert_ok(gate_write_off(scratch_path(&s, "off"), "a reason"));
        (void) umask(022);
        assert_int_equal(stat(scratch_path(&s, "off"), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0644);
        f = fopen(scratch_path(&s, "off"), "re");
        assert_non_null(f);
        assert_non_null(fgets(text, sizeof(text), f));
        (void) fclose(f);
        assert_string_equal(text, "a reason\n");
        assert_ok(gate_write_off(scratch_path(&s, "off"), NULL));
        assert_int_equal(stat(scratch_path(&s, "off"), &st), -1);

        scratch_link(&s, "off", "elsewhere");
        assert_int_equal(gate_write_off(scratch_path(&s, "off"), "a reason"), -ELOOP);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_reasons),
                cmocka_unit_test(test_no_command_line),
                cmocka_unit_test(test_file),
        };

        return RUN_TESTS(tests);
}
