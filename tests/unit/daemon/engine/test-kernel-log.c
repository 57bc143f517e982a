/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/engine/kernel-log.h"

#include <sys/socket.h>

#include "test.h"

/* Like /dev/kmsg in that every read(2) is one record; but one cannot seek in it. */
typedef struct Bench {
        KernelLog *log;
        int fd;                         /* the kernel's end */
} Bench;

static void bench_open(Bench *b) {
        int fds[2], size = 1024 * 1024;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        (void) setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        assert_ok(kernel_log_new(&b->log, fds[0]));
        b->fd = fds[1];
}

static void bench_close(Bench *b) {
        kernel_log_free(b->log);
        closep(&b->fd);
}

static void say_bytes(const Bench *b, const void *record, size_t size) {
        assert_int_equal(send(b->fd, record, size, MSG_DONTWAIT), size);
}

static void say(const Bench *b, const char *record) {
        say_bytes(b, record, strlen(record));
}

/* What is taken, one line each. */
static void assert_takes(const Bench *b, const char *module, const char *expected) {
        char text[8192] = "", **lines = NULL;
        size_t n = 0;

        assert_ok(kernel_log_take(b->log, module, &lines, &n));
        if (n == 0)
                assert_null(lines);
        for (size_t i = 0; i < n; i++) {
                strcat(strcat(text, lines[i]), "\n");
                free(lines[i]);
        }
        if (lines)
                assert_null(lines[n]);
        free(lines);
        assert_string_equal(text, expected);
}

static void test_lines_of_a_module(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        assert_takes(&b, "foo", "");
        say(&b, "4,100,5000,-;foo: Unknown symbol bar (err -2)\n");
        say(&b, "6,101,5001,-;usb 1-1: new high-speed USB device\n SUBSYSTEM=usb\n DEVICE=+usb:1-1\n");
        say(&b, "3,102,5002,c,caller=T1;foo: disagrees about version of symbol module_layout\n DEVICE=x\n");
        assert_takes(
                &b, "foo",
                "foo: Unknown symbol bar (err -2)\nfoo: disagrees about version of symbol module_layout\n");
        assert_takes(&b, "usb_storage", "");
        assert_takes(&b, "foo", /* they are kept until nothing is under way */
                     "foo: Unknown symbol bar (err -2)\nfoo: disagrees about version of symbol module_layout\n");
        kernel_log_skip(b.log);
        assert_takes(&b, "foo", "");
}

static void test_records_that_are_none(void **state) {
        char long_record[16384];
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        memset(long_record, 'x', sizeof(long_record));
        say(&b, "no semicolon");
        say(&b, ";");
        say(&b, "4,1,2,-;");
        say(&b, "4,1,2,-;\n foo=bar");
        say_bytes(&b, "4,1,2,-;foo: half\0foo: other", sizeof("4,1,2,-;foo: half\0foo: other") - 1);
        say_bytes(&b, "\0;foo: behind", sizeof("\0;foo: behind") - 1);
        say_bytes(&b, long_record, sizeof(long_record));
        say(&b, "4,1,2,-;foo: \xff\xfe");
        assert_takes(&b, "foo", "foo: half\nfoo: \xff\xfe\n");
}

static void test_only_so_many(void **state) {
        char expected[1024] = "", record[64];
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        for (unsigned i = 0; i < 100; i++) {
                snprintf(record, sizeof(record), "4,1,2,-;foo: line %u", i);
                say(&b, record);
                if (i < 8)
                        strcat(strcat(expected, record + strlen("4,1,2,-;")), "\n");
        }
        assert_takes(&b, "foo", expected);
}

/* A chatty kernel: the oldest go. */
static void test_bounded(void **state) {
        char record[64];
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        say(&b, "4,1,2,-;foo: at the beginning");
        for (unsigned i = 0; i < 100; i++) {
                snprintf(record, sizeof(record), "4,1,2,-;other: %u", i);
                say(&b, record);
        }
        assert_takes(&b, "foo", "foo: at the beginning\n");
        for (unsigned i = 0; i < 100; i++)
                say(&b, record);
        say(&b, "4,1,2,-;foo: at the end");
        assert_takes(&b, "foo", "foo: at the end\n");

        kernel_log_skip(b.log);
        say(&b, "4,1,2,-;foo: anew");
        assert_takes(&b, "foo", "foo: anew\n");
}

static void test_without_a_log(void **state) {
        _cleanup_(bench_close) Bench b = { .fd = -EBADF };

        assert_ok(kernel_log_new(&b.log, -EBADF));
        assert_takes(&b, "foo", "");
        kernel_log_skip(b.log);
}

static void test_log_that_ends(void **state) {
        _cleanup_(bench_close) Bench b;

        bench_open(&b);
        say(&b, "4,1,2,-;foo: last words");
        closep(&b.fd);
        b.fd = -EBADF;
        assert_takes(&b, "foo", "foo: last words\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines_of_a_module),
                cmocka_unit_test(test_records_that_are_none),
                cmocka_unit_test(test_only_so_many),
                cmocka_unit_test(test_bounded),
                cmocka_unit_test(test_without_a_log),
                cmocka_unit_test(test_log_that_ends),
        };

        return RUN_TESTS(tests);
}
