/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "common/base/nearest-name.h"
#include "common/base/util.h"

static const char *word(size_t i) {
        static const char *const words[] = { "Coldplug", "LogLevel", "SlowLoadSec", NULL };

        return words[i];
}

static void test_function(void **state) {
        static const struct {
                const char *text, *nearest;
        } cases[] = {
                { "Coldplgu", "Coldplug" },     { "coldplug", "Coldplug" }, { "Coldplug", "Coldplug" },
                { "LogLvl", "LogLevel" },       { "SlowLoad", "SlowLoadSec" }, { "Colour", NULL },
                { "", NULL },                   { "x", NULL },
                { "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC", NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                if (!streq_ptr(nearest_name(cases[i].text, word), cases[i].nearest))
                        fail_msg("%s: %s", cases[i].text, nearest_name(cases[i].text, word) ?: "(none)");
}

/* What is typed for a module, and what was meant. */
static void test_array(void **state) {
        static const char *const names[] = {
                "e1000", "e1000e", "usb_storage", "uas", "loop", "nf_conntrack", "snd_hda_intel", "ext4", "sg",
        };
        static const struct {
                const char *text, *nearest;
        } cases[] = {
                { "e1000e", "e1000e" },
                { "e1000", "e1000" },
                { "1e000e", "e1000e" },         /* two letters swapped are one mistake */
                { "e10000e", "e1000e" },        /* one too many */
                { "usb-storage", "usb_storage" },
                { "usbstorage", "usb_storage" },
                { "USB_STORAGE", "usb_storage" },
                { "usb_stroage", "usb_storage" },
                { "lopo", "loop" },
                { "olop", "loop" },
                { "lpo", NULL },                  /* two mistakes in four letters */
                { "au", NULL },                 /* of two letters none may be wrong */
                { "usa", "uas" },
                { "gs", NULL },
                { "nf_contrack", "nf_conntrack" },
                { "nfs", NULL },
                { "snd_usb_audio", NULL },
                { "xt4", "ext4" },
                { "", NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                const char *nearest = nearest_name_of(cases[i].text, names, ARRAY_LEN(names));

                if (!streq_ptr(nearest, cases[i].nearest))
                        fail_msg("%s: %s", cases[i].text, nearest ?: "(none)");
        }
        assert_null(nearest_name_of("x", NULL, 0));
}

static void test_first_of_equals(void **state) {
        static const char *const names[] = { "abcx", "abcy", "abcz" };

        assert_string_equal(nearest_name_of("abcd", names, 3), "abcx");
        assert_string_equal(nearest_name_of("abcz", names, 3), "abcz");
}

/* Counted letter by letter, the whole table: what is given up early may not change the answer. */
static size_t plain_distance(const char *a, const char *b) {
        size_t n = strlen(a), m = strlen(b), d[16][16];

        for (size_t i = 0; i <= n; i++)
                for (size_t k = 0; k <= m; k++) {
                        if (i == 0 || k == 0) {
                                d[i][k] = i + k;
                                continue;
                        }
                        d[i][k] = MIN(d[i - 1][k], d[i][k - 1]) + 1;
                        d[i][k] = MIN(d[i][k], d[i - 1][k - 1] + (a[i - 1] != b[k - 1]));
                        if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                                d[i][k] = MIN(d[i][k], d[i - 2][k - 2] + 1);
                }
        return d[n][m];
}

static void random_word(char *ret, unsigned *seed) {
        size_t n = (size_t) rand_r(seed) % 13;

        for (size_t i = 0; i < n; i++)
                ret[i] = (char) ('a' + rand_r(seed) % 3);
        ret[n] = '\0';
}

static void test_against_the_whole_table(void **state) {
        unsigned seed = 1;

        for (size_t round = 0; round < 2000; round++) {
                char text[16], words[20][16];
                const char *names[ARRAY_LEN(words)], *expected = NULL, *nearest;
                size_t best = SIZE_MAX;

                random_word(text, &seed);
                for (size_t i = 0; i < ARRAY_LEN(words); i++) {
                        size_t d;

                        random_word(words[i], &seed);
                        names[i] = words[i];
                        d = plain_distance(text, words[i]);
                        if (d < best && d <= MAX(strlen(text), strlen(words[i])) / 3) {
                                best = d;
                                expected = words[i];
                        }
                }
                nearest = nearest_name_of(text, names, ARRAY_LEN(names));
                if (nearest != expected)
                        fail_msg("%s: %s, not %s", text, nearest ?: "(none)", expected ?: "(none)");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_function),
                cmocka_unit_test(test_array),
                cmocka_unit_test(test_first_of_equals),
                cmocka_unit_test(test_against_the_whole_table),
        };

        return RUN_TESTS(tests);
}
