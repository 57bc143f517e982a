/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/gate/requester-table.h"

#include "common/base/limits.h"
#include "scratch.h"
#include "test.h"

#define SEC 1000000000ULL

typedef struct Bench {
        Scratch scratch;
        RequesterTable *table;
        uint64_t now;
} Bench;

static void bench_open(Bench *b) {
        *b = (Bench) { .now = 100 * SEC };
        scratch_open(&b->scratch);
        assert_ok(requester_table_new(&b->table, b->scratch.dir));
}

static void bench_close(Bench *b) {
        requester_table_free(b->table);
        scratch_close(&b->scratch);
}

static GateEvent ask(Bench *b, uint32_t tid, uint32_t uid, const char *alias) {
        GateEvent e = { .kind = GATE_EVENT_REQUEST,
                        .id = ++b->now,
                        .tgid = tid,
                        .tid = tid,
                        .uid = uid,
                        .login_uid = UINT32_MAX };

        (void) snprintf(e.name, sizeof(e.name), "%s", alias);
        assert_ok(requester_table_add(b->table, &e));
        return e;
}

static void start(Bench *b, const GateEvent *request, uint32_t helper) {
        GateEvent e = { .kind = GATE_EVENT_HELPER,
                        .id = request->id,
                        .tid = request->tid,
                        .tgid = helper,
                        .helper = helper };

        requester_table_note_helper(b->table, &e);
}

/* @tid: 0: nobody is known */
static void expect(Bench *b, const char *alias, pid_t helper, uint32_t tid, bool inferred) {
        _cleanup_(requester_unrefp) Requester *r = NULL;
        int q = requester_table_claim(b->table, alias, helper, &r);

        assert_int_equal(q, tid > 0);
        if (tid == 0)
                return;
        assert_int_equal(r->pid, tid);
        assert_int_equal(r->inferred, inferred);
}

static void test_exact(void **state) {
        GateEvent first, second;
        Bench b;

        bench_open(&b);
        first = ask(&b, 10, 0, "net-pf-38");
        second = ask(&b, 20, 1000, "net-pf-38");
        start(&b, &second, 501);
        start(&b, &first, 502);
        expect(&b, "net-pf-38", 501, 20, false);
        expect(&b, "net-pf-38", 501, 0, false); /* once */
        expect(&b, "net-pf-38", 502, 10, false);
        assert_int_equal(requester_table_count(b.table), 0);
        bench_close(&b);
}

static void test_inferred(void **state) {
        Bench b;

        bench_open(&b);
        (void) ask(&b, 10, 1000, "net-pf-38");
        (void) ask(&b, 20, 1000, "net-pf-38");
        (void) ask(&b, 30, 0, "net-pf-9");
        expect(&b, "net-pf-10", 501, 0, false);
        expect(&b, "net-pf-38", 501, 10, true);
        expect(&b, "net-pf-38", 502, 20, true);
        expect(&b, "net-pf-38", 503, 0, false);
        expect(&b, "net-pf-9", 504, 30, true);
        bench_close(&b);
}

/* Root's request does not become that of somebody else, nor the other way round. */
static void test_no_guess_between_users(void **state) {
        GateEvent root;
        Bench b;

        bench_open(&b);
        root = ask(&b, 10, 0, "net-pf-38");
        (void) ask(&b, 20, 1000, "net-pf-38");
        expect(&b, "net-pf-38", 501, 0, false);
        start(&b, &root, 502);
        expect(&b, "net-pf-38", 501, 20, true); /* it cannot be root's any more */
        expect(&b, "net-pf-38", 502, 10, false);
        bench_close(&b);
}

/* A process of the same number that asks for something else, and one that comes later. */
static void test_helper_number_used_again(void **state) {
        GateEvent old, new;
        Bench b;

        bench_open(&b);
        old = ask(&b, 10, 0, "net-pf-38");
        start(&b, &old, 501);
        expect(&b, "net-pf-9", 501, 0, false);
        new = ask(&b, 20, 1000, "net-pf-38");
        start(&b, &new, 501);
        expect(&b, "net-pf-38", 501, 20, false);
        expect(&b, "net-pf-38", 501, 0, false);
        bench_close(&b);
}

static void test_thread_asks_again(void **state) {
        Bench b;

        bench_open(&b);
        (void) ask(&b, 10, 0, "net-pf-2-proto-132-type-1");
        (void) ask(&b, 10, 0, "net-pf-2-proto-132");
        assert_int_equal(requester_table_count(b.table), 1);
        expect(&b, "net-pf-2-proto-132-type-1", 501, 0, false);
        expect(&b, "net-pf-2-proto-132", 501, 10, true);
        bench_close(&b);
}

static void test_overflow(void **state) {
        Bench b;

        bench_open(&b);
        for (uint32_t i = 1; i <= GATE_WAITING_MAX + 2; i++) {
                char alias[32];

                (void) snprintf(alias, sizeof(alias), "alias-%u", i);
                (void) ask(&b, i, 0, alias);
        }
        assert_int_equal(requester_table_count(b.table), GATE_WAITING_MAX);
        expect(&b, "alias-1", 501, 0, false);
        expect(&b, "alias-2", 501, 0, false);
        expect(&b, "alias-3", 501, 3, true);
        expect(&b, "alias-1026", 501, 1026, true);
        (void) ask(&b, 5000, 0, "one-more");
        expect(&b, "one-more", 501, 5000, true); /* behind the last that was taken */
        bench_close(&b);
}

static void test_age(void **state) {
        Bench b;

        bench_open(&b);
        (void) ask(&b, 10, 0, "old");
        b.now += GATE_WAITING_NSEC;
        (void) ask(&b, 20, 0, "new");
        assert_int_equal(requester_table_count(b.table), 1);
        expect(&b, "old", 501, 0, false);
        expect(&b, "new", 501, 20, true);
        bench_close(&b);
}

/* @tid: of the parent; 0: none is known */
static void expect_parent(Bench *b, const char *alias, pid_t helper, uint32_t tid) {
        _cleanup_(requester_unrefp) Requester *r = NULL;

        assert_int_equal(requester_table_claim(b->table, alias, helper, &r), 1);
        assert_int_equal(r->parent ? r->parent->pid : 0, tid);
        assert_true(!r->parent || r->parent->inferred);
}

static void cryptomgr(Bench *b, uint32_t tid, const char *alias, const char *executable) {
        GateEvent e = { .kind = GATE_EVENT_REQUEST,
                        .id = ++b->now,
                        .tgid = tid,
                        .tid = tid,
                        .login_uid = UINT32_MAX,
                        .command = "cryptomgr_probe" };

        (void) snprintf(e.name, sizeof(e.name), "%s", alias);
        (void) snprintf(e.executable + sizeof(e.executable) - 32, 32, "%s", executable);
        assert_ok(requester_table_add(b->table, &e));
}

static void test_parts_of_ciphers(void **state) {
        Bench b;

        bench_open(&b);
        cryptomgr(&b, 2, "crypto-cbc", "");
        expect_parent(&b, "crypto-cbc", 500, 0); /* nobody has asked for a cipher */
        (void) ask(&b, 10, 1000, "crypto-authenc(a,b)");
        (void) ask(&b, 11, 0, "net-pf-38"); /* something else */
        cryptomgr(&b, 2, "crypto-cbc", "");
        cryptomgr(&b, 3, "crypto-hmac", "");
        (void) ask(&b, 12, 1001, "crypto-gcm(aes)");
        expect_parent(&b, "crypto-cbc", 501, 10);
        expect_parent(&b, "crypto-hmac", 502, 10);
        cryptomgr(&b, 4, "crypto-ctr", "");
        expect_parent(&b, "crypto-ctr", 503, 12);
        expect_parent(&b, "crypto-gcm(aes)", 504, 0);
        cryptomgr(&b, 5, "crypto-ctr", "/tmp/a"); /* anybody can have that name */
        expect_parent(&b, "crypto-ctr", 505, 0);
        b.now += GATE_CAUSE_NSEC + 1;
        cryptomgr(&b, 4, "crypto-ctr", "");
        expect_parent(&b, "crypto-ctr", 506, 0);
        bench_close(&b);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_exact),
                cmocka_unit_test(test_parts_of_ciphers),
                cmocka_unit_test(test_inferred),
                cmocka_unit_test(test_no_guess_between_users),
                cmocka_unit_test(test_helper_number_used_again),
                cmocka_unit_test(test_thread_asks_again),
                cmocka_unit_test(test_overflow),
                cmocka_unit_test(test_age),
        };

        return RUN_TESTS(tests);
}
