/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/clients/byte-queue.h"

#include "common/base/util.h"
#include "test.h"

/* What goes in comes out in order, in parts of whatever size. */
static void test_in_and_out(void **state) {
        static const size_t puts[] = { 1, 0, 7, 4096, 13, 70000, 1 }, drops[] = { 1, 3, 1000, 0, 5000, 1 << 20 };
        ByteQueue q = {};
        unsigned char next_in = 0, next_out = 0;
        unsigned char chunk[70000];

        for (unsigned round = 0; round < 200; round++) {
                size_t n = puts[round % ARRAY_LEN(puts)], m = drops[round % ARRAY_LEN(drops)];

                for (size_t i = 0; i < n; i++)
                        chunk[i] = next_in++;
                assert_ok(byte_queue_put(&q, chunk, n));
                m = MIN(m, byte_queue_size(&q));
                for (size_t i = 0; i < m; i++)
                        assert_int_equal((unsigned char) byte_queue_peek(&q)[i], next_out++);
                byte_queue_drop(&q, m);
                if (byte_queue_size(&q) == 0)
                        assert_null(q.bytes); /* what is empty costs nothing */
        }
        byte_queue_clear(&q);
        assert_int_equal(byte_queue_size(&q), 0);
}

/* Room that was read is used again, rather than more. */
static void test_does_not_grow(void **state) {
        ByteQueue q = {};
        char chunk[100] = {};

        assert_ok(byte_queue_put(&q, chunk, 1));
        for (unsigned i = 0; i < 10000; i++) {
                assert_ok(byte_queue_put(&q, chunk, sizeof(chunk)));
                byte_queue_drop(&q, sizeof(chunk));
        }
        assert_true(q.allocated < 1000);
        byte_queue_clear(&q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_in_and_out),
                cmocka_unit_test(test_does_not_grow),
        };

        return RUN_TESTS(tests);
}
