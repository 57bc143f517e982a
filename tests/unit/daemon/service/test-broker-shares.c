/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/service/broker-shares.h"

#include "common/base/util.h"
#include "test.h"

#define START_USEC 1000000000ULL

static void test_burst_and_refill(void **state) {
        _cleanup_(broker_shares_clear) BrokerShares s = {};
        uint64_t now = START_USEC;

        for (unsigned i = 0; i < BROKER_BURST; i++)
                assert_ok(broker_shares_take(&s, "a", now));
        assert_int_equal(broker_shares_take(&s, "a", now), -EBUSY);
        assert_int_equal(broker_shares_take(&s, "a", now + BROKER_REFILL_USEC - 1), -EBUSY);
        assert_ok(broker_shares_take(&s, "b", now)); /* which has its own */

        now += 2 * BROKER_REFILL_USEC;
        assert_ok(broker_shares_take(&s, "a", now));
        assert_ok(broker_shares_take(&s, "a", now));
        assert_int_equal(broker_shares_take(&s, "a", now), -EBUSY);

        now += 1000000ULL * BROKER_REFILL_USEC; /* no more than at first */
        for (unsigned i = 0; i < BROKER_BURST; i++)
                assert_ok(broker_shares_take(&s, "a", now));
        assert_int_equal(broker_shares_take(&s, "a", now), -EBUSY);
}

static void test_many_containers(void **state) {
        _cleanup_(broker_shares_clear) BrokerShares s = {};
        char name[32];

        for (unsigned i = 0; i < 3 * BROKER_CONTAINERS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "machine-%u", i);
                assert_ok(broker_shares_take(&s, name, START_USEC + i));
        }
        assert_int_equal(s.n_items, BROKER_CONTAINERS_MAX);
        for (unsigned i = 1; i < BROKER_BURST; i++)
                assert_ok(broker_shares_take(&s, name, START_USEC + 1000));
        assert_int_equal(broker_shares_take(&s, name, START_USEC + 1000),
                         -EBUSY); /* the newest is remembered */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_burst_and_refill),
                cmocka_unit_test(test_many_containers),
        };

        return RUN_TESTS(tests);
}
