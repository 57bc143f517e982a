/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/modprobe/deny-command.h"

#include "common/base/util.h"
#include "test.h"

static void test_cases(void **state) {
        static const struct {
                const char *command;
                bool denies;
        } cases[] = {
                /* programs that do nothing, wherever they are */
                { "/bin/false", true },
                { "/bin/true", true },
                { "/usr/bin/false", true },
                { "/usr/local/bin/true", true },
                { "false", true },
                { "  /bin/false \t", true },
                { "\"/bin/false\"", true },
                { "'/bin/'true", true },
                { "/sbin/nologin", true },
                { "/usr/sbin/nologin", true },
                { "/dev/null", true },
                { ":", true },
                { "exit", true },
                { "exit 1", true },
                { "! true", true },
                { "! /bin/true", true },
                { "exec /bin/false", true },
                { "/bin/busybox false", true },
                /* arguments, redirections, comments */
                { "/bin/false foo", true },
                { "/bin/false $CMDLINE_OPTS", true },
                { "/bin/false # comment; rm -rf /", true },
                { "/bin/false >/dev/null 2>&1", true },
                { "/bin/false>&2", true },
                { "/bin/false \"kept out (CVE)\"", true },
                { "/bin/false \"kept out; ask us\"", true },
                { "/bin/false 'kept `out` $(by) us'", true },
                /* lists */
                { "/bin/true;", true },
                { "/bin/true ; # done", true },
                { "/bin/true; exit 1", true },
                { "/bin/false || true", true },
                { "true && false", true },
                { "/bin/sh -c \"exit 1\"", true },
                { "/bin/sh -c 'exit 1'", true },
                { "sh -c false", true },
                { "bash -c '! true; exit 3'", true },

                /* anything else is a command */
                { "", false },
                { "  ", false },
                { "# /bin/false", false },
                { ";", false },
                { "!", false },
                { "/bin/false1", false },
                { "/bin/falsework", false },
                { "/tmp/bin/false", false },
                { "./false", false },
                { "falsehood", false },
                { "/bin/", false },
                { "/bin/true#x; y", false },
                { "/bin/false-positive", false },
                { "/opt/bin/false", false },
                { "/dev/nul", false },
                { "exits", false },
                { "/bin/echo no; /bin/false", false }, /* it says something */
                { "/usr/bin/disabled-by-security", false },
                { "/sbin/modprobe -i x", false },
                { "/bin/true; /sbin/modprobe -i x", false },
                { "/bin/true && reboot", false },
                { "/bin/true &&", false },
                { "/bin/true && # x", false },
                { "true;reboot", false },
                { "/bin/false | tee /x", false },
                { "/bin/false & reboot", false },
                { "/bin/false &", false },
                { "/bin/false $(reboot)", false },
                { "/bin/false `reboot`", false },
                { "/bin/false \"`reboot`\"", false },
                { "/bin/false \"$(reboot)\"", false },
                { "/bin/false \"a # b\"; reboot", false },
                { "/bin/false ' # '; reboot", false },
                { "/bin/false 'open", false },
                { "/bin/false \\; reboot", false },
                { "/bin/false\nreboot", false },
                { "$FALSE", false },
                { "\"/bin/false", false },
                { "/bin/sh", false },
                { "/bin/sh /etc/script", false },
                { "/bin/sh -c", false },
                { "/bin/sh -c reboot", false },
                { "/bin/sh -c \"exit 1\"; reboot", false },
                { "/bin/sh -c \"sh -c false\"", false }, /* one level is enough */
                { "/bin/sh -x -c false", false },
                { "(exit 1)", false },
                { "{ false; }", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (command_is_denial(cases[i].command) != cases[i].denies)
                        fail_msg("'%s'", cases[i].command);
}

/* Longer than any word that is looked for. */
static void test_long(void **state) {
        char command[4096];

        memset(command, 'x', sizeof(command) - 1);
        command[sizeof(command) - 1] = '\0';
        assert_false(command_is_denial(command));
        memcpy(command, "/bin/false ", 11);
        assert_true(command_is_denial(command));
        memcpy(command, "/bin/sh -c ", 11);
        assert_false(command_is_denial(command));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_long),
        };

        return RUN_TESTS(tests);
}
