/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/gate/gate-requester.h"

#include <sys/stat.h>

#include "scratch.h"
#include "test.h"

#define TICK_NSEC (1000000000ULL / (uint64_t) sysconf(_SC_CLK_TCK))

static void write_process(const Scratch *s, uint64_t start_ticks, const char *cgroup) {
        char text[256];

        (void) snprintf(text, sizeof(text),
                        "4711 (a ) 1 b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 %llu 20 21\n",
                        (unsigned long long) start_ticks);
        scratch_write(s, "proc/4711/stat", text);
        (void) snprintf(text, sizeof(text), "1:name=systemd:/x.service\n0::%s\n", cgroup);
        scratch_write(s, "proc/4711/cgroup", text);
}

static GateEvent make_event(void) {
        GateEvent e = { .kind = GATE_EVENT_REQUEST,
                        .tgid = 4711,
                        .tid = 4712,
                        .uid = 65534,
                        .login_uid = 1000,
                        .start_nsec = 815 * TICK_NSEC + 5,
                        .command = "asks",
                        .name = "net-pf-38" };

        memcpy(e.executable + sizeof(e.executable) - sizeof("/usr/bin/asks"), "/usr/bin/asks",
               sizeof("/usr/bin/asks"));
        return e;
}

static void test_all_of_it(void **state) {
        _cleanup_(requester_unrefp) Requester *r = NULL;
        _cleanup_(scratch_close) Scratch s;
        GateEvent e = make_event();

        scratch_open(&s);
        write_process(&s, 815, "/system.slice/docker-1.scope");
        assert_ok(gate_requester_new(&r, &e, s.dir));
        assert_true(r->has_process && r->has_login_uid && !r->inferred);
        assert_int_equal(r->pid, 4711);
        assert_int_equal(r->uid, 65534);
        assert_int_equal(r->login_uid, 1000);
        assert_string_equal(r->command, "asks");
        assert_string_equal(r->executable, "/usr/bin/asks");
        assert_string_equal(r->unit, "docker-1.scope");
        assert_string_equal(r->container, "docker-1");
        assert_null(r->parent);
}

static void test_little(void **state) {
        _cleanup_(requester_unrefp) Requester *r = NULL;
        _cleanup_(scratch_close) Scratch s;
        GateEvent e = { .tgid = 2, .login_uid = UINT32_MAX };

        scratch_open(&s);
        memset(e.command, 'x', sizeof(e.command)); /* without NUL */
        assert_ok(gate_requester_new(&r, &e, s.dir));
        assert_true(r->has_process && !r->has_login_uid);
        assert_string_equal(r->command, "xxxxxxxxxxxxxxxx");
        assert_null(r->executable);
        assert_null(r->unit);
        assert_null(r->container);
}

/* Another process has its number now. */
static void test_number_used_again(void **state) {
        _cleanup_(requester_unrefp) Requester *r = NULL;
        _cleanup_(scratch_close) Scratch s;
        GateEvent e = make_event();

        scratch_open(&s);
        write_process(&s, 816, "/system.slice/innocent.service");
        assert_ok(gate_requester_new(&r, &e, s.dir));
        assert_int_equal(r->pid, 4711);
        assert_null(r->unit);
}

/* It has ended, but its control group is still there. */
static void test_by_number_of_the_group(void **state) {
        _cleanup_(requester_unrefp) Requester *r = NULL, *none = NULL;
        _cleanup_(scratch_close) Scratch s;
        GateEvent e = make_event();
        struct stat st;

        scratch_open(&s);
        scratch_mkdir(&s, "sys/fs/cgroup/system.slice/other.service");
        scratch_mkdir(&s, "sys/fs/cgroup/system.slice/short.service");
        assert_int_equal(stat(scratch_path(&s, "sys/fs/cgroup/system.slice/short.service"), &st), 0);
        e.cgroup_id = st.st_ino;
        assert_ok(gate_requester_new(&r, &e, s.dir));
        assert_string_equal(r->unit, "short.service");
        e.cgroup_id = UINT64_MAX;
        assert_ok(gate_requester_new(&none, &e, s.dir));
        assert_null(none->unit);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_of_it),
                cmocka_unit_test(test_little),
                cmocka_unit_test(test_number_used_again),
                cmocka_unit_test(test_by_number_of_the_group),
        };

        return RUN_TESTS(tests);
}
