/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/history/refusal-log.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "daemon-bench.h"
#include "daemon/privileged/trail/trail-protocol.h"
#include "test.h"

#define _bench_ _cleanup_(bench_close)

/* What is logged, as far as it has audit records: those that lkmd-trail would get. */
typedef struct Bench {
        Scratch scratch;
        sd_event *event;
        int listen_fd, fd;
        AuditTrail *trail;
        RefusalLog *log;
} Bench;

static void bench_open(Bench *b) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        *b = (Bench) { .listen_fd = -EBADF, .fd = -EBADF };
        scratch_open(&b->scratch);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path(&b->scratch, "trail"));
        b->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_ok(bind(b->listen_fd, (struct sockaddr *) &address, sizeof(address)));
        assert_ok(listen(b->listen_fd, 4));
        assert_ok(sd_event_new(&b->event));
        assert_ok(audit_trail_new(&b->trail, b->event, address.sun_path));
        assert_ok(refusal_log_new(&b->log, b->trail));
}

static void bench_close(Bench *b) {
        refusal_log_free(b->log);
        audit_trail_free(b->trail);
        closep(&b->fd);
        closep(&b->listen_fd);
        sd_event_unref(b->event);
        scratch_close(&b->scratch);
}

/* "refused net-pf-38 af_alg 1000, allowed ..." of what came since the last call; how many there were. */
static size_t take(Bench *b, char ret[static 512]) {
        TrailPacket p;
        size_t n = 0;

        ret[0] = '\0';
        if (b->fd < 0)
                b->fd = accept4(b->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        while (b->fd >= 0 && recv(b->fd, &p, sizeof(p), 0) == sizeof(p)) {
                size_t end = strlen(ret);

                snprintf(ret + end, 512 - end, "%s%s %s %s %d", n > 0 ? ", " : "",
                         p.flags & TRAIL_ALLOWED ? "allowed" : "refused", p.alias,
                         p.module[0] ? p.module : "-", p.flags & TRAIL_HAS_PROCESS ? (int) p.uid : -1);
                n++;
        }
        return n;
}

static void assert_trail(Bench *b, const char *expected) {
        char story[512];

        (void) take(b, story);
        assert_string_equal(story, expected);
}

/* @uid: negative: not known */
static Request *make(const char *key, RequestOrigin origin, int uid) {
        Request *r = NULL;

        assert_ok(request_new(&r, origin, key));
        if (uid < 0)
                return r;
        assert_ok(requester_new(&r->requester));
        r->requester->has_process = true;
        r->requester->pid = 4711;
        r->requester->uid = (uid_t) uid;
        return r;
}

static void refuse(Bench *b, const char *key, RequestOrigin origin, int uid, PlanOmissionKind kind,
                   unsigned line) {
        _cleanup_(request_unrefp) Request *r = make(key, origin, uid);
        const PlanOmission o = {
                .kind = kind,
                .module = (char *) "af_alg",
                .ruling = { .source = POLICY_BY_RULE, .file = (char *) "/etc/x.yaml", .line = line }
        };

        refusal_log_omission(b->log, r, &o);
}

static void test_once_for_each_cause(void **state) {
        _bench_ Bench b;

        bench_open(&b);
        refuse(&b, "net-pf-38", ORIGIN_KERNEL, 1000, PLAN_DENIED, 3);
        refuse(&b, "net-pf-38", ORIGIN_KERNEL, 1000, PLAN_DENIED, 3);
        refuse(&b, "net-pf-38", ORIGIN_KERNEL, 1001, PLAN_DENIED, 3);
        refuse(&b, "net-pf-38", ORIGIN_KERNEL, -1, PLAN_DENIED, 3);
        refuse(&b, "net-pf-38", ORIGIN_KERNEL, 1000, PLAN_DENIED, 4);
        assert_trail(
                &b,
                "refused net-pf-38 af_alg 1000, refused net-pf-38 af_alg 1001, refused net-pf-38 af_alg -1, "
                "refused net-pf-38 af_alg 1000");
        refusal_log_forget(b.log);      /* the policy was read again: the boot is the same */
        refuse(&b, "net-pf-38", ORIGIN_KERNEL, 1000, PLAN_DENIED, 3);
        assert_trail(&b, "");
}

static void test_what_has_no_audit_record(void **state) {
        _bench_ Bench b;

        bench_open(&b);
        refuse(&b, "usb:v0525", ORIGIN_DEVICE, -1, PLAN_DENIED, 3);
        refuse(&b, "net-pf-38", ORIGIN_KERNEL, 1000, PLAN_MODULE_MISSING, 0);
        assert_trail(&b, "");
        refuse(&b, "x25", ORIGIN_CLIENT, 0, PLAN_DENIED, 3);
        assert_trail(&b, "refused x25 af_alg 0");
}

static void test_unprivileged(void **state) {
        static const int uids[] = { 0, 1000, -1, 1000, 1001 };
        _bench_ Bench b;

        bench_open(&b);
        for (size_t i = 0; i < ARRAY_LEN(uids); i++) {
                _cleanup_(request_unrefp) Request *r = make("net-pf-38", ORIGIN_KERNEL, uids[i]);

                refusal_log_asked(b.log, r, "af_alg", i % 2 == 0);
        }
        assert_trail(
                &b,
                "allowed net-pf-38 af_alg 1000, allowed net-pf-38 af_alg -1, allowed net-pf-38 af_alg 1001");
        for (size_t i = 0; i < 2; i++) {
                _cleanup_(request_unrefp) Request *r = make("net-pf-99", ORIGIN_KERNEL, 1000);

                refusal_log_asked(b.log, r, NULL, false); /* there is no such module */
        }
        assert_trail(&b, "allowed net-pf-99 - 1000");
}

static void test_inside_the_kernel(void **state) {
        const PlanRuling ruling = {
                .source = POLICY_BY_RULE, .file = (char *) "/etc/x.yaml", .line = 3, .reason = (char *) "why"
        };
        _cleanup_(monitors_freep) Monitors *monitors = NULL;
        _bench_ Bench b;

        bench_open(&b);
        assert_ok(monitors_new(&monitors));
        for (size_t i = 0; i < 2; i++) {
                _cleanup_(request_unrefp) Request *r = make("net-pf-38", ORIGIN_KERNEL, 1000);

                refusal_log_in_kernel(b.log, monitors, r, &ruling);
        }
        assert_trail(&b, "refused net-pf-38 - 1000");
}

/* Anybody can ask for ever new names: neither the journal nor the audit log grows without bounds. */
static void test_flood(void **state) {
        char story[512];
        size_t n = 0;
        _bench_ Bench b;

        bench_open(&b);
        for (unsigned i = 0; i < 4 * REFUSAL_LOG_MAX; i++) {
                char key[32];

                snprintf(key, sizeof(key), "crypto-%u", i);
                refuse(&b, key, ORIGIN_KERNEL, 1000, PLAN_DENIED, i + 1);
                n += take(&b, story);
        }
        assert_true(n >= REFUSAL_LOG_BURST && n < 2 * REFUSAL_LOG_BURST);
        for (unsigned i = 0; i < REFUSAL_LOG_BURST; i++) /* others have their entries */
                refuse(&b, "x", ORIGIN_CLIENT, 0, PLAN_DENIED, i + 1);
        n = take(&b, story);
        assert_int_equal(n, REFUSAL_LOG_BURST);
}

static void test_without_a_trail(void **state) {
        _cleanup_(refusal_log_freep) RefusalLog *log = NULL;
        _cleanup_(request_unrefp) Request *r = make("net-pf-38", ORIGIN_KERNEL, 1000);

        assert_ok(refusal_log_new(&log, NULL));
        refusal_log_asked(log, r, "af_alg", false);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_once_for_each_cause), cmocka_unit_test(test_what_has_no_audit_record),
                cmocka_unit_test(test_unprivileged),        cmocka_unit_test(test_inside_the_kernel),
                cmocka_unit_test(test_flood),               cmocka_unit_test(test_without_a_trail),
        };

        return RUN_TESTS(tests);
}
