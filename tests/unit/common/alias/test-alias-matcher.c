/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <fnmatch.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alias/alias-lookup.h"

#define MIB (1U << 20)

typedef struct Asked {
        AliasMatcher *matcher;
        AliasLookup *lookup;
} Asked;

static void asked_done(Asked *a) {
        alias_lookup_free(a->lookup);
        alias_matcher_free(a->matcher);
}

/*
 * A matcher of some patterns; their values say which they are, their priorities are ascending unless
 * @priority is not -1.
 */
static Asked ask(AliasDialect dialect, const char *const *patterns, size_t n, int priority) {
        char value[24];
        Asked a = {};

        assert_ok(alias_matcher_new(&a.matcher, dialect));
        for (size_t i = 0; i < n; i++) {
                (void) snprintf(value, sizeof(value), "%zu", i);
                assert_ok(alias_matcher_add(a.matcher, patterns[i], value,
                                            priority < 0 ? (uint32_t) i : (uint32_t) priority));
        }
        assert_ok(alias_matcher_seal(a.matcher));
        assert_ok(alias_lookup_new(&a.lookup));
        return a;
}

#define ASK(dialect, priority, ...) ({                                                          \
                const char *const _patterns[] = { __VA_ARGS__ };                                \
                ask(dialect, _patterns, ARRAY_LEN(_patterns), priority);                        \
        })

/* The values of all answers, with a blank between them. */
static const char *answer(const Asked *a, const char *key) {
        static char text[4096];
        const AliasMatch *matches;
        size_t n, used = 0;

        assert_ok(alias_lookup_find(a->lookup, a->matcher, key, strlen(key), &matches, &n));
        text[0] = 0;
        for (size_t i = 0; i < n; i++)
                used += (size_t) snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? " " : "",
                                          matches[i].value);
        return text;
}

static void test_nothing(void **state) {
        _cleanup_(asked_done) Asked none = ask(ALIAS_INDEX, NULL, 0, -1);

        assert_string_equal(answer(&none, ""), "");
        assert_string_equal(answer(&none, "pci:v1"), "");
        assert_string_equal(answer(&none, "*"), "");
        assert_int_equal(alias_matcher_count(none.matcher), 0);
}

static void test_one(void **state) {
        _cleanup_(asked_done) Asked one = ASK(ALIAS_FNMATCH, -1, "pci:v*");
        _cleanup_(asked_done) Asked empty = ASK(ALIAS_FNMATCH, -1, "");

        assert_string_equal(answer(&one, "pci:v1"), "0");
        assert_string_equal(answer(&one, "pci:v"), "0");
        assert_string_equal(answer(&one, "pci:"), "");
        assert_string_equal(answer(&empty, ""), "0");
        assert_string_equal(answer(&empty, "a"), "");
}

static void test_patterns(void **state) {
        _cleanup_(asked_done)
                Asked a = ASK(ALIAS_FNMATCH, -1, "", "*", "?", "a", "a*", "*a", "a?c", "a[bx]c", "a[!bx]c",
                              "a[^bx]c", "[a-c]*", "ab\\*", "ab\\c", "**c", "*b*", "[", "a[", "[]]", "[!]]",
                              "a[b", "[[:digit:]]", "\\", "a*b*c*d*", "?*?", "\xe4*", "[\xe0-\xef]");
        static const struct {
                const char *key, *answer;
        } cases[] = {
                { "",     "0 1" },
                { "a",    "1 2 3 4 5 10 18" },
                { "abc",  "1 4 6 7 10 12 13 14 23" },
                { "ab*",  "1 4 10 11 14 23" },
                { "ayc",  "1 4 6 8 9 10 13 23" },
                { "c",    "1 2 10 13 18" },
                { "[",    "1 2 15 18" },
                { "]",    "1 2 17" },
                { "a[",   "1 4 10 16 23" },
                { "a[b",  "1 4 10 14 19 23" },
                { "7",    "1 2 18 20" },
                { "\\",   "1 2 18" },
                { "a-b-c-d-", "1 4 10 14 22 23" },
                { "\xe4", "1 2 18 24 25" },
                { "\xe4\xff", "1 23 24" },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_string_equal(answer(&a, cases[i].key), cases[i].answer);
}

static void test_order(void **state) {
        _cleanup_(asked_done) Asked a = {}, config = ASK(ALIAS_FNMATCH, 5, "c*", "*", "c?", "c1");
        const AliasMatch *matches;
        size_t n;

        assert_string_equal(answer(&config, "c1"), "0 1 2 3");

        /*
         * Equal priorities: what libkmod finds last comes first, and it goes by the place of the first
         * wildcard.
         */
        _cleanup_(asked_done)
                Asked equal = ASK(ALIAS_INDEX, 5, "c1", "c?", "c*", "*", "c*1", "c[1]", "c1", "?1");
        assert_string_equal(answer(&equal, "c1"), "6 0 5 1 2 4 7 3");

        assert_ok(alias_matcher_new(&a.matcher, ALIAS_INDEX));
        assert_ok(alias_matcher_add(a.matcher, "usb:*", "late", 0xFFFFFFFFU));
        assert_ok(alias_matcher_add(a.matcher, "usb:v1*", "early", 0));
        assert_ok(alias_matcher_add(a.matcher, "usb:v1*", "early", 7));
        assert_ok(alias_matcher_add(a.matcher, "usb:v?*", "middle", 0x7FFFFFFFU));
        assert_ok(alias_matcher_seal(a.matcher));
        assert_ok(alias_lookup_new(&a.lookup));
        assert_int_equal(alias_matcher_count(a.matcher), 4);
        assert_string_equal(answer(&a, "usb:v12"), "early early middle late");
        assert_ok(alias_lookup_find(a.lookup, a.matcher, "usb:v12", strlen("usb:v12"), &matches, &n));
        assert_string_equal(matches[0].pattern, "usb:v1*");
        assert_int_equal(matches[1].priority, 7);
        assert_string_equal(matches[2].pattern, "usb:v?*");
        assert_ptr_equal(matches[0].value, matches[1].value);
}

/* What libkmod's search of an index does with keys that look like patterns, and with backslashes. */
static void test_index_dialect(void **state) {
        _cleanup_(asked_done)
                Asked a = ASK(ALIAS_INDEX, -1, "a*", "a[b]", "ab", "x\\y", "x\\*y", "x\\z*\\*", "q*");
        _cleanup_(asked_done) Asked lone = ASK(ALIAS_INDEX, -1, "q*");

        assert_string_equal(answer(&a, "ab"), "0 1 2");
        assert_string_equal(answer(&a, "a*"), "0 0");
        assert_string_equal(answer(&a, "a[b]"), "0 1");
        assert_string_equal(answer(&a, "x\\y"), "3 4");
        assert_string_equal(answer(&a, "xy"), "");
        assert_string_equal(answer(&a, "x*y"), "");
        assert_string_equal(answer(&a, "x\\zz*"), "5");
        assert_string_equal(answer(&a, "x\\zz"), "");
        assert_string_equal(answer(&lone, "q*"), "0");
        assert_string_equal(answer(&a, "q*"), "6");
}

static size_t random_text(char *text, size_t max, const char *const *words, size_t n_words) {
        size_t n = (size_t) rand() % (max + 1);

        text[0] = 0;
        for (size_t i = 0; i < n; i++)
                strcat(text, words[(size_t) rand() % n_words]);
        return n;
}

/* Random patterns and keys of few different bytes, so that a good part of them match. */
static void test_against_fnmatch(void **state) {
        static const char *const pattern_words[] = {
                "a",    "b",      "c",           "a",      "b",    "*",           "*", "?",
                "[ab]", "[!a]",   "[a-b]",       "[]a]",   "[a-",  "[",           "]", "\\a",
                "\\*",  "\\",     "[[:alpha:]]", "[\\]a]", "\xe4", "[\xe0-\xf0]", "-", "!",
                "^",    "[^b-c]", "[!]",         "[a-]",   "[-a]", ".",           "/",
        };
        static const char *const key_words[] = { "a", "b", "c",  "a",    "b", "a", "b", "*",
                                                 "[", "]", "\\", "\xe4", "-", ".", "/", "?" };
        enum { ROUNDS = 400, KEYS = 200, PATTERNS_MAX = 60 };
        char texts[PATTERNS_MAX][64], key[64], expected[4096], number[16];
        const char *patterns[PATTERNS_MAX];
        size_t n_matched = 0;

        srand(20);
        for (size_t round = 0; round < ROUNDS; round++) {
                size_t n = (size_t) rand() % PATTERNS_MAX + 1;

                for (size_t i = 0; i < n; i++) {
                        random_text(texts[i], round % 2 ? 4 : 8, pattern_words, ARRAY_LEN(pattern_words));
                        patterns[i] = texts[i];
                }
                _cleanup_(asked_done) Asked a = ask(ALIAS_FNMATCH, patterns, n, round % 3 ? -1 : 0);

                for (size_t k = 0; k < KEYS; k++) {
                        random_text(key, 6, key_words, ARRAY_LEN(key_words));
                        expected[0] = 0;
                        for (size_t i = 0; i < n; i++)
                                if (fnmatch(patterns[i], key, 0) == 0) {
                                        (void) snprintf(number, sizeof(number), "%s%zu",
                                                        expected[0] ? " " : "", i);
                                        strcat(expected, number);
                                        n_matched++;
                                }
                        if (!streq(answer(&a, key), expected))
                                fail_msg("key '%s': got '%s', want '%s'", key, answer(&a, key), expected);
                }
        }
        assert_true(n_matched > ROUNDS * KEYS / 2);
}

/*
 * Patterns that make a matcher without marks take longer than there is time; a test that hangs has failed.
 */
static void test_adversarial(void **state) {
        enum { N = 40 };
        char texts[N][128], *key = malloc(20001);
        const char *patterns[N];

        for (size_t i = 0; i < N; i++) {
                texts[i][0] = 0;
                for (size_t j = 0; j < i; j++)
                        strcat(texts[i], "*a");
                strcat(texts[i], i % 2 ? "*b" : "?*[b-c]");
                patterns[i] = texts[i];
        }
        _cleanup_(asked_done) Asked a = ask(ALIAS_FNMATCH, patterns, N, -1);

        assert_non_null(key);
        memset(key, 'a', 20000);
        key[20000] = 0;
        assert_string_equal(answer(&a, key), "");
        assert_string_equal(answer(&a, "aaab"), "0 1 2 3");
        free(key);
}

static void test_long_keys(void **state) {
        _cleanup_(asked_done) Asked a = ASK(ALIAS_INDEX, -1, "of:N*T*Cvendor,a", "of:N*T*Cvendor,b*", "*x",
                                            "a*a*a*b", "a*");
        char *key = malloc(MIB + 1);

        assert_non_null(key);
        memset(key, 'a', MIB);
        key[MIB] = 0;
        assert_string_equal(answer(&a, key), "4");
        key[MIB - 1] = 'x';
        assert_string_equal(answer(&a, key), "2 4");
        memset(key, 'T', MIB);
        memcpy(key, "of:N", 4);
        assert_string_equal(answer(&a, key), "");
        memcpy(key + MIB - 9, "Cvendor,b", 9);
        assert_string_equal(answer(&a, key), "1");
        free(key);
}

/* Many patterns that go on with several bytes each, beside those that do not, and keys that end there. */
static void test_blocks(void **state) {
        enum { N = 300 };
        static char texts[N + 8][32];
        const char *patterns[N + 8];
        char key[32], expected[64];

        for (unsigned i = 0; i < N; i++)
                if (i % 3 != 0)
                        (void) snprintf(texts[i], sizeof(texts[i]), "x:%04X%04Xs*", i, i * 7919U & 0xFFFFU);
                else
                        (void) snprintf(texts[i], sizeof(texts[i]), "x:%04X*", i);
        strcpy(texts[N + 0], "x:*s1");
        strcpy(texts[N + 1], "x:?001*");
        strcpy(texts[N + 2], "x:[0-1]002*");
        strcpy(texts[N + 3], "x:");
        strcpy(texts[N + 4], "x:0001");
        strcpy(texts[N + 5], "y:\\a-long-one");
        strcpy(texts[N + 6], "x:0001");
        strcpy(texts[N + 7], "x:\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7");
        for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
                patterns[i] = texts[i];

        for (unsigned dialect = 0; dialect < 2; dialect++) {
                _cleanup_(asked_done) Asked a = ask(dialect ? ALIAS_INDEX : ALIAS_FNMATCH, patterns,
                                                    ARRAY_LEN(patterns), -1);

                for (unsigned i = 0; i < N; i++) {
                        size_t n = 0;

                        (void) snprintf(key, sizeof(key), "x:%04X%04Xs1", i, i * 7919U & 0xFFFFU);
                        n += (size_t) snprintf(expected + n, sizeof(expected) - n, "%u %u", i, N);
                        if ((i & 0xFFFU) == 1)
                                n += (size_t) snprintf(expected + n, sizeof(expected) - n, " %u", N + 1);
                        if ((i & 0xFFFU) == 2)
                                (void) snprintf(expected + n, sizeof(expected) - n, " %u", N + 2);
                        assert_string_equal(answer(&a, key), expected);
                }
                assert_string_equal(answer(&a, "x:"), "303");
                assert_string_equal(answer(&a, "x"), "");
                assert_string_equal(answer(&a, "x:0001"), "301 304 306");
                assert_string_equal(answer(&a, "x:0003"), "3");
                assert_string_equal(answer(&a, "x:000"), "");
                assert_string_equal(answer(&a, "x:00011EEFs"), "1 301");
                assert_string_equal(answer(&a, "x:00011EEF"), "301");
                assert_string_equal(answer(&a, "x:FFFFFFFFs1"), "300");
                assert_string_equal(answer(&a, "x:\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7"), "307");
                assert_string_equal(answer(&a, "y:\\a-long-one"), dialect ? "305" : "");
                assert_string_equal(answer(&a, "y:a-long-one"), dialect ? "" : "305");
        }
}

static void test_memory(void **state) {
        enum { N = 500 };
        _cleanup_(asked_done) Asked a = {};
        char text[64];
        const AliasMatch *matches;
        size_t n;

        assert_ok(alias_matcher_new(&a.matcher, ALIAS_INDEX));
        for (unsigned i = 0; i < N; i++) {
                (void) snprintf(text, sizeof(text), "pci:v%08Xd*sv*", i % 100);
                assert_ok(alias_matcher_add(a.matcher, text, i % 2 ? "odd" : "even", i));
        }
        assert_ok(alias_matcher_seal(a.matcher));
        assert_ok(alias_lookup_new(&a.lookup));
        assert_true(alias_matcher_size_bytes(a.matcher) < 64 * 1024);

        assert_ok(alias_lookup_find(a.lookup, a.matcher, "pci:v00000001d1sv1", strlen("pci:v00000001d1sv1"),
                                    &matches, &n));
        assert_int_equal(n, 5);

        size_t used = mallinfo2().uordblks;
        for (unsigned i = 0; i < 5000; i++) {
                (void) snprintf(text, sizeof(text), "pci:v%08Xd%08Xsv%u", i % 150, i, i);
                assert_ok(alias_lookup_find(a.lookup, a.matcher, text, strlen(text), &matches, &n));
                assert_int_equal(n, i % 150 < 100 ? 5 : 0);
                for (size_t k = 1; k < n; k++)
                        assert_int_equal(matches[k].value_id == matches[0].value_id,
                                         streq(matches[k].value, matches[0].value));
                if (n > 0)
                        assert_true(matches[0].value_id < alias_matcher_value_ids(a.matcher));
        }
        assert_int_equal(mallinfo2().uordblks, used);
}

/* What one look-up marked says nothing of another matcher, whichever of them is the larger. */
static void test_one_lookup_for_several(void **state) {
        Asked small = ASK(ALIAS_INDEX, -1, "*a*b*c", "x"),
              large = ASK(ALIAS_FNMATCH, -1, "*a*", "*b*", "*c*", "*d*x*", "*a*b*c*");
        AliasLookup *own = large.lookup;

        large.lookup = small.lookup;
        for (unsigned i = 0; i < 5; i++) {
                assert_string_equal(answer(&small, "aabbcc"), "0");
                assert_string_equal(answer(&large, "aabbcc"), "0 1 2 4");
                assert_string_equal(answer(&large, "dd"), "");
                assert_string_equal(answer(&small, "x"), "1");
        }
        large.lookup = own;
        asked_done(&small);
        asked_done(&large);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing),
                cmocka_unit_test(test_one),
                cmocka_unit_test(test_patterns),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_index_dialect),
                cmocka_unit_test(test_against_fnmatch),
                cmocka_unit_test(test_adversarial),
                cmocka_unit_test(test_long_keys),
                cmocka_unit_test(test_blocks),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_one_lookup_for_several),
        };

        return RUN_TESTS(tests);
}
