/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "common/words/root-words.h"

#include "common/base/util.h"
#include "common/words/policy-words.h"
#include "test.h"

/* Text as a file has it, one writable byte behind it. */
static char *text_of(const char *text, char *room, size_t size) {
        assert_true(strlen(text) < size);
        return strcpy(room, text);
}

static void test_option_lines(void **state) {
        static const struct {
                const char *text, *name, *words;
                bool holds;
        } cases[] = {
                { "options loop max_loop=8\n",                    "loop",  "max_loop=8",     true },
                { "options loop max_loop=8",                      "loop",  "max_loop=8",     true },
                { "  options\tloop   max_loop=8   max_part=2 \n", "loop",  "max_loop=8   max_part=2", true },
                { "options loop a=1\tb=2\n",                      "loop",  "a=1 b=2",        true },
                { "options loop \\\n a=1\n",                      "loop",  "a=1",            true },
                { "options snd-x a=1\n",                          "snd_x", "a=1",            true },
                { "blacklist x\n#y\n\noptions loop a=1\n",        "loop",  "a=1",            true },
                { "options loop a=1\noptions loop b=2\n",         "loop",  "b=2",            true },
                { "options loop x=\"a b\"\n",                     "loop",  "x=\"a b\"",      true },
                /* no more and no less */
                { "options loop a=1 b=2\n",                       "loop",  "a=1",            false },
                { "options loop a=1\n",                           "loop",  "a=1 b=2",        false },
                { "options loop a=12\n",                          "loop",  "a=1",            false },
                { "options loop a=1\noptions loop b=2\n",         "loop",  "a=1 b=2",        false },
                { "options loop a=1\n",                           "loop",  "",               false },
                { "options loop a=1\n",                           "loop",  "  ",             false },
                /* another module, another line, no line at all */
                { "options loop2 a=1\n",                          "loop",  "a=1",            false },
                { "options lo*p a=1\n",                           "loop",  "a=1",            false },
                { "#options loop a=1\n",                          "loop",  "a=1",            false },
                { "# options loop a=1\n",                         "loop",  "a=1",            false },
                { "install loop a=1\n",                           "loop",  "a=1",            false },
                { "softdep options loop a=1\n",                   "loop",  "a=1",            false },
                { "#\\\noptions loop a=1\n",                      "loop",  "a=1",            false }, /* one line */
                { "",                                             "loop",  "a=1",            false },
                { "options",                                      "loop",  "a=1",            false },
                { "options loop",                                 "loop",  "a=1",            false },
                { "options loop \\",                              "loop",  "a=1",            false },
        };
        char room[256];

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (root_options_hold(text_of(cases[i].text, room, sizeof(room)), strlen(cases[i].text),
                                      cases[i].name, cases[i].words) != cases[i].holds)
                        fail_msg("%zu: %s", i, cases[i].text);
}

static void test_alias_lines(void **state) {
        static const struct {
                const char *text, *name, *module;
                bool leads;
        } cases[] = {
                { "alias net-pf-10 ipv6\n",             "net_pf_10",         "ipv6",  true },
                { "alias pci:v00008086d*sv* snd-x\n",   "pci:v00008086d1sv2", "snd_x", true },
                { "alias net_pf_* ipv6\n",              "net_pf_*",          "ipv6",  true },
                { "alias symbol:foo_bar snd_x\n",       "symbol:foo_bar",    "snd_x", true },
                { "alias net-pf-10 ipv6\n",             "net_pf_10",         "ipx",   false },
                { "alias net-pf-10 ipv6\n",             "net_pf_1",          "ipv6",  false },
                { "options net-pf-10 ipv6\n",           "net_pf_10",         "ipv6",  false },
                { "alias net-pf-10\n",                  "net_pf_10",         "ipv6",  false },
        };
        char room[256];

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (root_alias_leads(text_of(cases[i].text, room, sizeof(room)), strlen(cases[i].text),
                                     cases[i].name, cases[i].module) != cases[i].leads)
                        fail_msg("%zu: %s", i, cases[i].text);
}

static void test_kernel_command_line(void **state) {
        static const struct {
                const char *text, *module, *words;
                bool holds;
        } cases[] = {
                { "quiet loop.max_loop=8 ro",     "loop",  "max_loop=8",  true },
                { "snd-x.a=1",                    "snd_x", "a=1",         true },
                { "loop.flag",                    "loop",  "flag",        true },
                { "loop.x=\"a b\"",               "loop",  "x=\"a b\"",   true },
                { "\"loop.x=a b\"",               "loop",  "x=\"a b\"",   true },
                { "loop.a=1 loop.b=2",            "loop",  "b=2",         true },
                { "loop.a=1 loop.b=2",            "loop",  "a=1 b=2",     false },
                { "loop.a=12",                    "loop",  "a=1",         false },
                { "loop2.a=1",                    "loop",  "a=1",         false },
                { "x=loop.a=1",                   "loop",  "a=1",         false },
                { "",                             "loop",  "a=1",         false },
        };
        char room[256];

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (root_command_line_holds(text_of(cases[i].text, room, sizeof(room)), cases[i].module,
                                            cases[i].words) != cases[i].holds)
                        fail_msg("%zu: %s", i, cases[i].text);
}

static void test_arguments(void **state) {
#define ARGUMENTS(text) text, sizeof(text) - 1
        static const struct {
                const char *text;
                size_t size;
                const char *word;
                bool holds;
        } cases[] = {
                { ARGUMENTS("lkmctl\0load\0loop\0a=1\0"),          "a=1",        true },
                { ARGUMENTS("lkmctl\0load\0loop\0a=1"),            "a=1",        true },
                { ARGUMENTS("lkmctl\0load\0loop\0a=b c\0"),        "a=\"b c\"",  true },
                { ARGUMENTS("lkmctl\0load\0loop\0a=\"b c\"\0"),    "a=\"b c\"",  true },
                { ARGUMENTS("varlinkctl\0{\"name\":\"loop\",\"parameters\":[\"a=1\",\"b=2\"]}\0"), "b=2", true },
                { ARGUMENTS("varlinkctl\0{\"name\":\"loop\"}\0"),  "loop",       true },
                { ARGUMENTS("lkmctl\0status\0"),                   "a=1",        false },
                { ARGUMENTS("lkmctl\0load\0loop\0a=12\0"),         "a=1",        false },
                { ARGUMENTS("lkmctl\0load\0loop\0xa=1\0"),         "a=1",        false },
                { ARGUMENTS("lkmctl\0load\0loop\0a=1 b=2\0"),      "b=2",        false },
                { ARGUMENTS("varlinkctl\0[\"a=12\"]\0"),           "a=1",        false },
                { ARGUMENTS("lkmctl\0"),                           "",           false },
                { ARGUMENTS(""),                                   "a=1",        false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (root_arguments_hold(cases[i].text, cases[i].size, cases[i].word) != cases[i].holds)
                        fail_msg("%zu: %s", i, cases[i].word);

        assert_true(root_arguments_force(ARGUMENTS("lkmctl\0load\0loop\0--force\0")));
        assert_true(root_arguments_force(ARGUMENTS("lkmctl\0load\0--force-vermagic\0loop\0")));
        assert_false(root_arguments_force(ARGUMENTS("lkmctl\0-Hfoo\0status\0")));
        assert_true(root_arguments_force(ARGUMENTS("varlinkctl\0{\"name\":\"loop\",\"forceVermagic\":true}\0")));
        assert_false(root_arguments_force(ARGUMENTS("lkmctl\0metrics\0--output=f\0")));
        assert_false(root_arguments_force(ARGUMENTS("lkmctl\0load\0force\0")));
        assert_false(root_arguments_force(ARGUMENTS("")));
        assert_true(root_arguments_force(ARGUMENTS("modprobe\0-f\0loop\0")));
        assert_true(root_arguments_force(ARGUMENTS("/usr/sbin/modprobe\0loop\0-qf\0")));
        assert_true(root_arguments_force(ARGUMENTS("rmmod\0--forc\0loop\0")));
        assert_true(root_arguments_force(ARGUMENTS("insmod\0-fs\0")));
        assert_false(root_arguments_force(ARGUMENTS("modprobe\0-qS\0f\0-d/f\0-Cf\0")));
        assert_false(root_arguments_force(ARGUMENTS("modprobe\0--\0-\0\0fat\0")));
        assert_false(root_arguments_force(ARGUMENTS("mount\0-f\0")));
}

static void test_words(void **state) {
        static const struct {
                const char *word;
                bool is_single, is_plain;
        } cases[] = {
                { "a=1",             true,  true },
                { "a",               true,  true },
                { "a=b,c:d/e.f-g_h+i@j%k", true, true },
                { "a=\"b c\"",       true,  false },
                { "a=b\"c d\"e",     true,  false },
                { "a=$(id)",         true,  false },
                { "a=`id`",          true,  false },
                { "a=b;id",          true,  false },
                { "a=b|id",          true,  false },
                { "a=b&id",          true,  false },
                { "a=>/x",           true,  false },
                { "a=*",             true,  false },
                { "a=~root",         true,  false },
                { "a='b'",           true,  false },
                { "a=\\x",           true,  false },
                { "a=\xc3\xa4",      true,  false },
                { "a=b c",           false, false },
                { "a=\"b\" c",       false, false },
                { "a=\"b",           false, false },
                { "\"a=b\"",         false, false },
                { "a=b\nc",          false, false },
                { "=1",              false, true },
                { "",                false, false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (word_is_single(cases[i].word) != cases[i].is_single ||
                    word_is_plain(cases[i].word) != cases[i].is_plain)
                        fail_msg("%s", cases[i].word);

        assert_true(word_is_allowed("debug=3", "debug=*"));
        assert_true(word_is_allowed("debug=\"a b\"", "debug=a b"));
        assert_true(word_is_allowed("debug", "debug"));
        assert_true(word_is_allowed("x=7", "x=[0-9]"));
        assert_false(word_is_allowed("x=17", "x=[0-9]"));
        assert_false(word_is_allowed("debug=3", "debug"));
        assert_false(word_is_allowed("nodebug=3", "debug=*"));
        assert_false(word_is_allowed("debug=3 evil=1", "debug=*")); /* two words to the kernel */
        assert_false(word_is_allowed("debug=3", ""));
}

static void test_policies(void **state) {
        static const struct {
                const char *text, *key, *item;
                bool has;
        } cases[] = {
                { "rules:\n  - options: [a=1, b=2]\n",                "options", "b=2",        true },
                { "rules:\n  - options: [ 'a=1' , \"b=2\" ]\n",       "options", "a=1",        true },
                { "    options: a=1\n",                               "options", "a=1",        true },
                { "    options: a=1 # why\n",                         "options", "a=1",        true },
                { "    options:\n      - a=1\n      - b=2\n",         "options", "b=2",        true },
                { "    options:\n    - a=1\n    - \"b=2\"\n",         "options", "b=2",        true },
                { "    options:   # why\n\n    # this\n    - a=1\n",   "options", "a=1",        true },
                { "    options: {a: 1, b: 2}\n",                      "options", "b=2",        true },
                { "    options:\n      a: 1\n      b: x y\n",         "options", "b=\"x y\"",  true },
                { "    options:\n      a: 1\n      b:\n",             "options", "b",          true },
                { "    options: [a=1,\n      b=2]\n",                 "options", "b=2",        true },
                { "    options: ['a=\"x y\"']\n",                     "options", "a=\"x y\"",  true },
                { "{\"rules\":[{\"match\":{\"module\":\"x\"},\"options\":[\"a=1\"]}]}", "options", "a=1", true },
                { "{\"rules\":[{\"options\":{\"a\":\"1\"}}]}",        "options", "a=1",        true },
                { "    options:\r\n      - a=1\r\n",                  "options", "a=1",        true },
                { "    parameters: [\"debug=*\"]\n",                  "parameters", "debug=*", true },
                { "options: [a=1]\noptions: [b=2]\n",                 "options", "b=2",        true },
                /* elsewhere than under the key */
                { "    match: {module: [a=1]}\n    options: [b=2]\n", "options", "a=1",        false },
                { "    # options: [a=1]\n",                           "options", "a=1",        false },
                { "    reason: x # options: [a=1]\n",                 "options", "a=1",        false },
                { "    reason: never a=1\n    options: [b=2]\n",      "options", "a=1",        false },
                { "    options: [b=2]\n    reason: a=1\n",            "options", "a=1",        false },
                { "    options:\n      - b=2\n    prefer:\n      - a=1\n", "options", "a=1",   false },
                { "  - options:\n      - b=2\n  - id: a=1\n",         "options", "a=1",        false },
                { "  - options:\n      b: 2\n    id: 1\n",            "options", "id=1",       false },
                { "    module: [\"*\"]\n    parameters: [x=1]\n",      "parameters", "*",       false },
                { "    parameters:\n    - x=1\n    match:\n      module:\n      - \"*\"\n", "parameters", "*", false },
                { "    no-options: [a=1]\n",                          "options", "a=1",        false },
                { "    options2: [a=1]\n",                            "options", "a=1",        false },
                /* another word */
                { "    options: [a=12]\n",                            "options", "a=1",        false },
                { "    options: [xa=1]\n",                            "options", "a=1",        false },
                { "    options: [a=1]\n",                             "options", "",           false },
                { "    options: {a: 12}\n",                           "options", "a=1",        false },
                /* written in a way that this does not read: the policy is refused for it */
                { "    options: [\"a=\\x31\"]\n",                     "options", "a=1",        false },
                { "    options: [*anchor]\n",                         "options", "a=1",        false },
                /* the end of the text, anywhere */
                { "options",                                          "options", "a=1",        false },
                { "options:",                                         "options", "a=1",        false },
                { "options:\n",                                       "options", "a=1",        false },
                { "options: [",                                       "options", "a=1",        false },
                { "options: [a=1",                                    "options", "a=1",        false },
                { "options: ['",                                      "options", "a=1",        false },
                { "options: {a",                                      "options", "a=1",        false },
                { "options:\n  -",                                    "options", "a=1",        false },
                { "'options",                                         "options", "a=1",        false },
                { "",                                                 "options", "a=1",        false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                size_t n = strlen(cases[i].text);
                char *exact = malloc(n ?: 1);   /* so that reading past it is seen */

                assert_non_null(exact);
                (void) memcpy(exact, cases[i].text, n);
                if (policy_words_have(exact, n, cases[i].key, cases[i].item) != cases[i].has)
                        fail_msg("%zu: %s", i, cases[i].text);
                for (size_t part = 0; part < n; part++) {
                        char *cut = malloc(part ?: 1);

                        assert_non_null(cut);
                        (void) memcpy(cut, cases[i].text, part);
                        (void) policy_words_have(cut, part, cases[i].key, cases[i].item);
                        free(cut);
                }
                free(exact);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_option_lines),
                cmocka_unit_test(test_alias_lines),
                cmocka_unit_test(test_kernel_command_line),
                cmocka_unit_test(test_arguments),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_policies),
        };

        return RUN_TESTS(tests);
}
