/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/history/audit-trail.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon-bench.h"
#include "daemon/privileged/trail/trail-protocol.h"
#include "test.h"

#define _bench_ _cleanup_(bench_close)

typedef struct Bench {
        Scratch scratch;
        sd_event *event;
        int listen_fd;
        AuditTrail *trail;
        Request *request;
} Bench;

static void listen_on(Bench *b) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path(&b->scratch, "trail"));
        b->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(b->listen_fd >= 0);
        assert_ok(bind(b->listen_fd, (struct sockaddr *) &address, sizeof(address)));
        assert_ok(listen(b->listen_fd, 4));
}

static void bench_open(Bench *b) {
        *b = (Bench) { .listen_fd = -EBADF };
        scratch_open(&b->scratch);
        assert_ok(sd_event_new(&b->event));
        assert_ok(audit_trail_new(&b->trail, b->event, scratch_path(&b->scratch, "trail")));
        assert_ok(request_new(&b->request, ORIGIN_KERNEL, "net-pf-38"));
}

static void bench_close(Bench *b) {
        audit_trail_free(b->trail);
        request_unref(b->request);
        closep(&b->listen_fd);
        sd_event_unref(b->event);
        scratch_close(&b->scratch);
}

static int take_connection(const Bench *b) {
        return accept4(b->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void test_a_record(void **state) {
        const PlanRuling ruling = { .file = (char *) "/etc/x.yaml", .line = 7 };
        _cleanup_(closep) int fd = -EBADF;
        TrailPacket packet;
        _bench_ Bench b;

        bench_open(&b);
        listen_on(&b);
        assert_ok(requester_new(&b.request->requester));
        *b.request->requester = (Requester) { .n_ref = 1,
                                              .has_process = true,
                                              .pid = 4711,
                                              .uid = 65534,
                                              .has_login_uid = true,
                                              .login_uid = 1000,
                                              .command = strdup("python3"),
                                              .executable = strdup("/usr/bin/python3") };
        audit_trail_write(b.trail, b.request, /* allowed= */ false, "af_alg", &ruling);
        fd = take_connection(&b);
        assert_true(fd >= 0);
        assert_int_equal(recv(fd, &packet, sizeof(packet), 0), sizeof(packet));
        assert_int_equal(packet.magic, TRAIL_MAGIC);
        assert_int_equal(packet.flags, TRAIL_HAS_PROCESS | TRAIL_HAS_LOGIN_UID);
        assert_int_equal(packet.pid, 4711);
        assert_int_equal(packet.uid, 65534);
        assert_int_equal(packet.login_uid, 1000);
        assert_string_equal(packet.command, "python3");
        assert_string_equal(packet.executable, "/usr/bin/python3");
        assert_string_equal(packet.unit, "");
        assert_string_equal(packet.alias, "net-pf-38");
        assert_string_equal(packet.module, "af_alg");
        assert_string_equal(packet.rule, "/etc/x.yaml:7");

        audit_trail_write(b.trail, b.request, /* allowed= */ true, NULL,
                          NULL); /* over the same connection */
        assert_int_equal(recv(fd, &packet, sizeof(packet), 0), sizeof(packet));
        assert_int_equal(packet.flags, TRAIL_HAS_PROCESS | TRAIL_HAS_LOGIN_UID | TRAIL_ALLOWED);
        assert_string_equal(packet.module, "");
        assert_string_equal(packet.rule, "");
}

/* A long text is cut off, and nothing is sent that was on the stack. */
static void test_long_texts(void **state) {
        _cleanup_(request_unrefp) Request *request = NULL;
        _cleanup_(closep) int fd = -EBADF;
        char key[2000] = "";
        TrailPacket packet;
        _bench_ Bench b;

        bench_open(&b);
        listen_on(&b);
        memset(key, 'x', sizeof(key) - 1);
        assert_ok(request_new(&request, ORIGIN_KERNEL, key));
        audit_trail_write(b.trail, request, false, key, NULL);
        fd = take_connection(&b);
        assert_int_equal(recv(fd, &packet, sizeof(packet), 0), sizeof(packet));
        assert_int_equal(strlen(packet.alias), sizeof(packet.alias) - 1);
        assert_int_equal(strlen(packet.module), sizeof(packet.module) - 1);
        assert_int_equal(packet.flags, 0);
        for (size_t i = 0; i < sizeof(packet.rule); i++)
                assert_int_equal(packet.rule[i], '\0');
}

static void test_the_other_end_goes(void **state) {
        TrailPacket packet;
        int fd;
        _bench_ Bench b;

        bench_open(&b);
        audit_trail_write(b.trail, b.request, false, "a", NULL); /* nobody is there */
        listen_on(&b);
        audit_trail_write(b.trail, b.request, false, "b", NULL);
        fd = take_connection(&b);
        assert_int_equal(recv(fd, &packet, sizeof(packet), 0), sizeof(packet));
        assert_string_equal(packet.module, "b");
        assert_ok(close(fd));

        audit_trail_write(b.trail, b.request, false, "c", NULL); /* to another process */
        fd = take_connection(&b);
        assert_int_equal(recv(fd, &packet, sizeof(packet), 0), sizeof(packet));
        assert_string_equal(packet.module, "c");
        assert_ok(close(fd));
}

/* Nobody reads: lkmd does not wait. */
static void test_full(void **state) {
        _bench_ Bench b;

        bench_open(&b);
        listen_on(&b);
        for (unsigned i = 0; i < 10000; i++)
                audit_trail_write(b.trail, b.request, false, "a", NULL);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_record),
                cmocka_unit_test(test_long_texts),
                cmocka_unit_test(test_the_other_end_goes),
                cmocka_unit_test(test_full),
        };

        return RUN_TESTS(tests);
}
