/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "common/index/answer-memo.h"

static bool get(const AnswerMemo *m, const char *key, uint64_t *ret) {
        const void *answer;

        answer = answer_memo_get(m, answer_memo_hash(key, strlen(key)), key, strlen(key));
        if (!answer)
                return false;
        assert_int_equal((uintptr_t) answer % 8, 0);
        memcpy(ret, answer, sizeof(*ret));
        return true;
}

static void put(AnswerMemo *m, const char *key, uint64_t value) {
        uint64_t *copy;

        copy = answer_memo_put(m, answer_memo_hash(key, strlen(key)), key, strlen(key), &value,
                               sizeof(value));
        assert_non_null(copy);
        assert_int_equal(*copy, value);
        assert_string_equal((char *) (copy + 1), key);
}

static void test_remembers(void **state) {
        _cleanup_(answer_memo_freep) AnswerMemo *m = NULL;
        uint64_t v = 0;

        assert_ok(answer_memo_new(&m, 1 << 20)); /* so that the three have a slot each */
        assert_false(get(m, "", &v));
        assert_false(get(m, "a", &v));
        put(m, "", 1);
        put(m, "a", 2);
        put(m, "pci:v00008086d00000C00sv*sd*bc*sc*i*", 3);
        assert_true(get(m, "", &v));
        assert_int_equal(v, 1);
        assert_true(get(m, "a", &v));
        assert_int_equal(v, 2);
        assert_true(get(m, "pci:v00008086d00000C00sv*sd*bc*sc*i*", &v));
        assert_int_equal(v, 3);
        assert_false(get(m, "pci:v00008086d00000C00sv*sd*bc*sc*i", &v));

        put(m, "a", 4);
        assert_true(get(m, "a", &v));
        assert_int_equal(v, 4);

        answer_memo_clear(m);
        assert_false(get(m, "a", &v));
        put(m, "a", 5);
        assert_true(get(m, "a", &v));
        assert_int_equal(v, 5);
}

static void test_remembers_nothing(void **state) {
        _cleanup_(answer_memo_freep) AnswerMemo *m = NULL;

        assert_ok(answer_memo_new(&m, 0));
        assert_non_null(answer_memo_put(m, answer_memo_hash("a", 1), "a", 1, NULL, 0));
        assert_non_null(answer_memo_get(m, answer_memo_hash("a", 1), "a", 1));
}

/* A key is compared, not only its hash. */
static void test_equal_hashes(void **state) {
        _cleanup_(answer_memo_freep) AnswerMemo *m = NULL;

        assert_ok(answer_memo_new(&m, 0));
        assert_non_null(answer_memo_put(m, 42, "first", 5, "1", 1));
        assert_null(answer_memo_get(m, 42, "other", 5));
        assert_null(answer_memo_get(m, 42, "firs", 4));
        assert_non_null(answer_memo_get(m, 42, "first", 5));
        assert_non_null(answer_memo_put(m, 42, "other", 5, "2", 1));
        assert_non_null(answer_memo_get(m, 42, "other", 5));
        assert_null(answer_memo_get(m, 42, "first", 5));
}

/* Round the ring many times: what is still there is right, the newest always is there. */
static void test_forgets_the_oldest(void **state) {
        _cleanup_(answer_memo_freep) AnswerMemo *m = NULL;
        unsigned kept = 0;
        char key[64];
        uint64_t v;

        assert_ok(answer_memo_new(&m, 4096));
        for (unsigned i = 0; i < 20000; i++) {
                (void) snprintf(key, sizeof(key), "%.*s%u", (int) (i % 40),
                                "----------------------------------------", i);
                put(m, key, i);
                assert_true(get(m, key, &v));
                assert_int_equal(v, i);

                unsigned back = i - MIN(i, i % 97);
                (void) snprintf(key, sizeof(key), "%.*s%u", (int) (back % 40),
                                "----------------------------------------", back);
                if (get(m, key, &v)) {
                        assert_int_equal(v, back);
                        kept++;
                }
        }
        assert_true(kept > 1000 && kept < 20000);
}

static void test_too_large(void **state) {
        _cleanup_(answer_memo_freep) AnswerMemo *m = NULL;
        static char large[5000];
        uint64_t v;

        assert_ok(answer_memo_new(&m, 4096));
        put(m, "a", 1);
        assert_null(answer_memo_put(m, 7, large, sizeof(large), "", 1));
        assert_null(answer_memo_put(m, 8, "b", 1, large, sizeof(large)));
        assert_null(answer_memo_get(m, 7, large, sizeof(large)));
        assert_null(answer_memo_get(m, 8, "b", 1));
        assert_true(get(m, "a", &v));
}

/* Of keys of every length each byte counts, and the length does. */
static void test_hash(void **state) {
        char key[80] = "";
        uint64_t seen[ARRAY_LEN(key)];

        for (size_t n = 0; n < sizeof(key); n++) {
                seen[n] = answer_memo_hash(key, n);
                for (size_t i = 0; i < n; i++) {
                        assert_int_not_equal(seen[i], seen[n]);
                        key[i] = 'x';
                        assert_int_not_equal(answer_memo_hash(key, n), seen[n]);
                        key[i] = '\0';
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_remembers),
                cmocka_unit_test(test_remembers_nothing),
                cmocka_unit_test(test_equal_hashes),
                cmocka_unit_test(test_forgets_the_oldest),
                cmocka_unit_test(test_too_large),
                cmocka_unit_test(test_hash),
        };

        return RUN_TESTS(tests);
}
