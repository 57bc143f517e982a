/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "common/index/lookup-cache.h"

static bool get(const LookupCache *c, const char *key, uint64_t *ret) {
        const void *answer;

        answer = lookup_cache_get(c, lookup_cache_hash(key, strlen(key)), key, strlen(key));
        if (!answer)
                return false;
        assert_int_equal((uintptr_t) answer % 8, 0);
        memcpy(ret, answer, sizeof(*ret));
        return true;
}

static void put(LookupCache *c, const char *key, uint64_t value) {
        uint64_t *room;

        room = lookup_cache_put(c, lookup_cache_hash(key, strlen(key)), key, strlen(key), sizeof(value));
        assert_non_null(room);
        *room = value;
        assert_string_equal((char *) (room + 1), key);
}

static void test_remembers(void **state) {
        _cleanup_(lookup_cache_freep) LookupCache *c = NULL;
        uint64_t v = 0;

        assert_ok(lookup_cache_new(&c, 1 << 20)); /* so that the three have a slot each */
        assert_false(get(c, "", &v));
        assert_false(get(c, "a", &v));
        put(c, "", 1);
        put(c, "a", 2);
        put(c, "pci:v00008086d00000C00sv*sd*bc*sc*i*", 3);
        assert_true(get(c, "", &v));
        assert_int_equal(v, 1);
        assert_true(get(c, "a", &v));
        assert_int_equal(v, 2);
        assert_true(get(c, "pci:v00008086d00000C00sv*sd*bc*sc*i*", &v));
        assert_int_equal(v, 3);
        assert_false(get(c, "pci:v00008086d00000C00sv*sd*bc*sc*i", &v));

        put(c, "a", 4);
        assert_true(get(c, "a", &v));
        assert_int_equal(v, 4);

        lookup_cache_clear(c);
        assert_false(get(c, "a", &v));
        put(c, "a", 5);
        assert_true(get(c, "a", &v));
        assert_int_equal(v, 5);
}

static void test_remembers_nothing(void **state) {
        _cleanup_(lookup_cache_freep) LookupCache *c = NULL;

        assert_ok(lookup_cache_new(&c, 0));
        assert_non_null(lookup_cache_put(c, lookup_cache_hash("a", 1), "a", 1, 0));
        assert_non_null(lookup_cache_get(c, lookup_cache_hash("a", 1), "a", 1));
}

/* A key is compared, not only its hash. */
static void test_equal_hashes(void **state) {
        _cleanup_(lookup_cache_freep) LookupCache *c = NULL;

        assert_ok(lookup_cache_new(&c, 0));
        assert_non_null(lookup_cache_put(c, 42, "first", 5, 1));
        assert_null(lookup_cache_get(c, 42, "other", 5));
        assert_null(lookup_cache_get(c, 42, "firs", 4));
        assert_non_null(lookup_cache_get(c, 42, "first", 5));
        assert_non_null(lookup_cache_put(c, 42, "other", 5, 1));
        assert_non_null(lookup_cache_get(c, 42, "other", 5));
        assert_null(lookup_cache_get(c, 42, "first", 5));
}

/* Round the ring many times: what is still there is right, the newest always is there. */
static void test_forgets_the_oldest(void **state) {
        _cleanup_(lookup_cache_freep) LookupCache *c = NULL;
        unsigned kept = 0;
        char key[64];
        uint64_t v;

        assert_ok(lookup_cache_new(&c, 4096));
        for (unsigned i = 0; i < 20000; i++) {
                (void) snprintf(key, sizeof(key), "%.*s%u", (int) (i % 40),
                                "----------------------------------------", i);
                put(c, key, i);
                assert_true(get(c, key, &v));
                assert_int_equal(v, i);

                unsigned back = i - MIN(i, i % 97);
                (void) snprintf(key, sizeof(key), "%.*s%u", (int) (back % 40),
                                "----------------------------------------", back);
                if (get(c, key, &v)) {
                        assert_int_equal(v, back);
                        kept++;
                }
        }
        assert_true(kept > 1000 && kept < 20000);
}

static void test_too_large(void **state) {
        _cleanup_(lookup_cache_freep) LookupCache *c = NULL;
        static char large[5000];
        uint64_t v;

        assert_ok(lookup_cache_new(&c, 4096));
        put(c, "a", 1);
        assert_null(lookup_cache_put(c, 7, large, sizeof(large), 1));
        assert_null(lookup_cache_put(c, 8, "b", 1, sizeof(large)));
        assert_null(lookup_cache_get(c, 7, large, sizeof(large)));
        assert_null(lookup_cache_get(c, 8, "b", 1));
        assert_true(get(c, "a", &v));
}

/* Of keys of every length each byte counts, and the length does. */
static void test_hash(void **state) {
        char key[80] = "";
        uint64_t seen[ARRAY_LEN(key)];

        for (size_t n = 0; n < sizeof(key); n++) {
                seen[n] = lookup_cache_hash(key, n);
                for (size_t i = 0; i < n; i++) {
                        assert_int_not_equal(seen[i], seen[n]);
                        key[i] = 'x';
                        assert_int_not_equal(lookup_cache_hash(key, n), seen[n]);
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
