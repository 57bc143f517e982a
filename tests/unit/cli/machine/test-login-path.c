/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cli/machine/login-path.h"

#include "common/base/string-list.h"
#include "scratch.h"
#include "test.h"

#define TCP_HEAD \
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
/* 10.0.2.15:22 and 10.0.2.2; another state; a socket of nobody here */
#define TCP \
        TCP_HEAD \
        "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 555 1 0 100\n" \
        "   1: 0F02000A:0016 0202000A:D431 01 00000000:00000000 02:00000000 00000000     0        0 556 4 0 20\n" \
        "   2: 0100007F:0016 0100007F:D431 01 00000000:00000000 02:00000000 00000000     0        0 557 4 0 20\n"
/* fd00::2 and fd00::1; ::ffff:192.0.2.7, which is an address of IPv4; lines that are none */
#define TCP6 \
        TCP_HEAD \
        "   0: 000000FD000000000000000002000000:0016 000000FD000000000000000001000000:D432 01 00000000:00000000 " \
        "02:00000000 00000000     0        0 558 2 0\n" \
        "   1: 0000000000000000FFFF00000702" \
        "00C0:0016 0000000000000000FFFF00000102" \
        "00C0:D432 01 0:0 02:0 0 0 0 559 2\n" \
        "   2: 00:16 00:17 01 0:0 0:0 0 0 0 556 2\n" \
        "nonsense\n\n   3: 0F02000A0F02000A"

static void make_process(const Scratch *s, int pid, int parent, const char *variables, size_t size) {
        char name[64], text[128];

        (void) snprintf(text, sizeof(text), "Name:\tx\nPid:\t%d\nPPid:\t%d\n", pid, parent);
        (void) snprintf(name, sizeof(name), "proc/%d/status", pid);
        scratch_write(s, name, text);
        (void) snprintf(name, sizeof(name), "proc/%d/environ", pid);
        scratch_write_bytes(s, name, variables, size);
        (void) snprintf(name, sizeof(name), "proc/%d/net/tcp", pid);
        scratch_write(s, name, TCP);
        (void) snprintf(name, sizeof(name), "proc/%d/net/tcp6", pid);
        scratch_write(s, name, TCP6);
        (void) snprintf(name, sizeof(name), "proc/%d/fd", pid);
        scratch_mkdir(s, name);
}

static void make_socket(const Scratch *s, int pid, int inode) {
        char name[64], target[64];

        (void) snprintf(name, sizeof(name), "proc/%d/fd/%d", pid, inode);
        (void) snprintf(target, sizeof(target), "socket:[%d]", inode);
        scratch_link(s, name, target);
}

static void expect(const Scratch *s, const char *locals, const char *peers) {
        _cleanup_(login_addresses_clear) LoginAddresses a = {};
        char text[2][256] = {};

        assert_ok(login_addresses_new(s->dir, 40, &a));
        for (unsigned i = 0; i < 2; i++)
                for (char **p = i ? a.peers : a.locals; *p; p++) {
                        (void) strncat(text[i], *p, sizeof(text[i]) - strlen(text[i]) - 2);
                        (void) strcat(text[i], " ");
                }
        assert_string_equal(text[0], locals);
        assert_string_equal(text[1], peers);
}

static void test_addresses(void **state) {
        static const char environment[] =
                "A=\0SSH_CONNECTION=192.0.2.1 40000 192.0.2.9 22\0B=SSH_CONNECTION=1 2 3 4";
        static const char broken[] = "SSH_CONNECTION=192.0.2.1 40000\0SSH_CONNECTION";
        _cleanup_(scratch_close) Scratch s = {};

        scratch_open(&s);
        expect(&s, "", "");             /* no such process */

        make_process(&s, 40, 30, broken, sizeof(broken));
        make_process(&s, 30, 20, "", 0);
        make_process(&s, 20, 1, "", 0);
        make_process(&s, 1, 0, "", 0);
        make_socket(&s, 1, 557);        /* the first process holds what belongs to others */
        make_socket(&s, 20, 555);       /* listens */
        scratch_link(&s, "proc/20/fd/0", "/dev/null");
        expect(&s, "", "");

        make_process(&s, 30, 20, environment, sizeof(environment));
        expect(&s, "192.0.2.9 ", "192.0.2.1 ");

        make_socket(&s, 20, 556);       /* what the kernel says is better */
        expect(&s, "10.0.2.15 ", "10.0.2.2 ");
        make_socket(&s, 20, 558);
        make_socket(&s, 30, 559);
        expect(&s, "192.0.2.7 10.0.2.15 fd00::2 ", "192.0.2.1 10.0.2.2 fd00::1 ");

        make_process(&s, 20, 20, "", 0); /* such a circle does not exist, but ends nevertheless */
        expect(&s, "192.0.2.7 10.0.2.15 fd00::2 ", "192.0.2.1 10.0.2.2 fd00::1 ");
}

static void test_lower(void **state) {
        static const char *const expected[] = { "br0", "up/../x", "bond0", "vlan5", "eth0", "eth1" };
        _cleanup_(string_list_freep) char **names = NULL;
        _cleanup_(scratch_close) Scratch s = {};

        scratch_open(&s);
        scratch_mkdir(&s, "sys/class/net/br0/lower_bond0");
        scratch_mkdir(&s, "sys/class/net/br0/upper_x");
        scratch_mkdir(&s, "sys/class/net/bond0/lower_vlan5");
        scratch_mkdir(&s, "sys/class/net/vlan5/lower_eth0");
        scratch_mkdir(&s, "sys/class/net/vlan5/lower_eth1");
        scratch_mkdir(&s, "sys/class/net/eth1/lower_br0");
        assert_ok(string_list_append(&names, "br0", 3));
        assert_ok(string_list_append(&names, "up/../x", 7));
        assert_ok(login_add_lower(s.dir, &names));
        assert_int_equal(string_list_count(names), ARRAY_LEN(expected));
        for (size_t i = 0; i < ARRAY_LEN(expected); i++)
                assert_true(string_list_contains(names, expected[i]));
}

/* On this machine: whatever it finds, it ends. */
static void test_here(void **state) {
        _cleanup_(string_list_freep) char **names = NULL;

        assert_ok(login_interfaces_new(&names));
        assert_non_null(names);
        assert_false(string_list_contains(names, "lo"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_lower),
                cmocka_unit_test(test_here),
        };

        return RUN_TESTS(tests);
}
