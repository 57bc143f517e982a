/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "cli/call/ssh-command.h"
#include "common/base/util.h"

typedef struct Case {
        const char *words[5];           /* NULL-terminated */
        const char *command;            /* NULL: only what comes of it counts */
} Case;

static const Case cases[] = {
        { { "lkmctl", "load", "e1000e", "IntMode=1" }, "ssh box lkmctl load e1000e IntMode=1" },
        { { "lkmctl", "load", "e1000e", "a=x y" }, "ssh box \"lkmctl load e1000e 'a=x y'\"" },
        { { "lkmctl", "load", "a", "b=\"x y\"" } },
        { { "lkmctl", "load", "a", "b='" } },
        { { "lkmctl", "load", "a", "b=it's $HOME `id` \\ \" !" } },
        { { "lkmctl", "load", "", "*" } },
        { { "lkmctl", "load", "a", "b=\n" } },
        { { "lkmctl", "load", "--force", "b=;&|<>()[]{}~#?" } },
        { { "lkmctl", "load", "a", "b=\xc3\xbc" }, "ssh box lkmctl load a b=\xc3\xbc" },
};

static size_t count(const Case *c) {
        size_t n = 0;

        while (n < ARRAY_LEN(c->words) && c->words[n])
                n++;
        return n;
}

static void test_text(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(freep) char *command = NULL;

                assert_ok(ssh_command_new("box", cases[i].words, count(cases + i), &command));
                if (cases[i].command)
                        assert_string_equal(command, cases[i].command);
        }
}

/* A shell here, an ssh that does what ssh does, and a shell there: do the words arrive? */
static void test_shells(void **state) {
        static const char setup[] = "ssh() { [ \"$1\" = 'o n e@box' ] && shift && sh -c \"$*\"; }\n";

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const char *words[5] = { "printf", "<%s>" };
                _cleanup_(freep) char *command = NULL, *script = NULL;
                char expected[256] = "", answer[256] = "";
                size_t n = count(cases + i), n_read;
                FILE *f;

                for (size_t k = 2; k < n; k++) {
                        words[k] = cases[i].words[k];
                        (void) snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
                                        "<%s>", words[k]);
                }
                assert_ok(ssh_command_new("o n e@box", words, n, &command));
                assert_true(asprintf(&script, "%s%s", setup, command) > 0);
                f = popen(script, "r");
                assert_non_null(f);
                n_read = fread(answer, 1, sizeof(answer) - 1, f);
                answer[n_read] = '\0';
                assert_int_equal(pclose(f), 0);
                assert_string_equal(answer, expected);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_shells),
        };

        return RUN_TESTS(tests);
}
