/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/trail/trail.h"

#include <sys/socket.h>
#include <unistd.h>

#include "common/base/util.h"
#include "test.h"

static TrailPacket make(const char *alias) {
        TrailPacket p = { .magic = TRAIL_MAGIC };

        snprintf(p.alias, sizeof(p.alias), "%s", alias);
        return p;
}

static void check(const TrailPacket *p, const char *expected) {
        _cleanup_(freep) char *text = NULL;

        assert_ok(trail_format(p, &text));
        assert_string_equal(text, expected);
}

static void test_texts(void **state) {
        TrailPacket p = make("net-pf-38");

        check(&p, "op=request-module req_auid=unset alias=\"net-pf-38\"");
        p.flags = TRAIL_HAS_PROCESS | TRAIL_HAS_LOGIN_UID;
        p.pid = 4711;
        p.uid = 65534;
        p.login_uid = 1000;
        strcpy(p.command, "python3");
        strcpy(p.executable, "/usr/bin/python3.13");
        strcpy(p.unit, "app.service");
        strcpy(p.module, "af_alg");
        strcpy(p.rule, "/etc/lkmd/policy.d/x.yaml:7");
        check(&p,
              "op=request-module req_pid=4711 req_uid=65534 req_auid=1000 comm=\"python3\" req_exe=\"/usr/bin/python3.13\" "
              "unit=\"app.service\" alias=\"net-pf-38\" module=\"af_alg\" rule=\"/etc/lkmd/policy.d/x.yaml:7\"");
}

/* No text can end its field, or begin another one. */
static void test_hostile_texts(void **state) {
        TrailPacket p = make("a\" uid=0 exe=\"/bin/true");

        check(&p, "op=request-module req_auid=unset alias=6122207569643D30206578653D222F62696E2F74727565");
        p = make("a\nb");
        check(&p, "op=request-module req_auid=unset alias=610A62");
        p = make("x");
        strcpy(p.command, "a b");
        check(&p, "op=request-module req_auid=unset comm=612062 alias=\"x\"");
        p = make("\xff\xfe");
        check(&p, "op=request-module req_auid=unset alias=FFFE");
}

static void test_what_is_no_packet(void **state) {
        TrailPacket p = make("x");
        char *text = NULL;

        p.magic++;
        assert_int_equal(trail_format(&p, &text), -EBADMSG);
        p = make("");
        assert_int_equal(trail_format(&p, &text), -EBADMSG);
        p = make("x");
        memset(p.rule, 'x', sizeof(p.rule));
        assert_int_equal(trail_format(&p, &text), -EBADMSG);
        p = make("x");
        memset(p.command, 'x', sizeof(p.command));
        assert_int_equal(trail_format(&p, &text), -EBADMSG);
        assert_null(text);
}

static void test_connections(void **state) {
        TrailPacket p = make("x");
        int pair[2];

        assert_ok(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
        assert_ok(close(pair[0]));
        assert_int_equal(trail_serve(pair[1], -EBADF), 0); /* the manager has hung up */
        assert_ok(close(pair[1]));

        assert_ok(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
        assert_int_equal(send(pair[0], &p, sizeof(p) - 1, 0), sizeof(p) - 1);
        assert_int_equal(trail_serve(pair[1], -EBADF), -EBADMSG);
        p.magic = 0;
        assert_int_equal(send(pair[0], &p, sizeof(p), 0), sizeof(p));
        assert_int_equal(trail_serve(pair[1], -EBADF), -EBADMSG);
        assert_ok(close(pair[0]));
        assert_ok(close(pair[1]));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_hostile_texts),
                cmocka_unit_test(test_what_is_no_packet),
                cmocka_unit_test(test_connections),
        };

        return RUN_TESTS(tests);
}
