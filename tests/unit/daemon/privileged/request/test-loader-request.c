/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/request/loader-request.h"

#include <sys/socket.h>

#include "common/base/util.h"
#include "test.h"

static LoaderRequest good_request(void) {
        return (LoaderRequest) {
                .magic = LOADER_MAGIC,
                .op = LOADER_INSERT,
                .id = 7,
                .module = "loop",
                .path = "/lib/modules/loop.ko",
        };
}

static LoaderRequest request_with_words(void) {
        LoaderRequest r = good_request();

        (void) stpcpy(r.words.text, "a=1 b=2");
        (void) memcpy(r.words.strings, "\0loop\0/etc/modprobe.d/a.conf",
                      sizeof("\0loop\0/etc/modprobe.d/a.conf"));
        r.words.n_origins = 2;
        r.words.origins[0] = (LoaderOrigin) { .kind = LOADER_BY_LINE, .size = 3, .name = 1, .file = 6 };
        r.words.origins[1] = (LoaderOrigin) { .kind = LOADER_BY_SETTING, .size = 3 };
        return r;
}

static int check(const LoaderRequest *r) {
        return loader_check_request(r, LOADER_REQUEST_SIZE(r->words.n_origins));
}

#define assert_refused(r) assert_int_equal(check(&(r)), -EBADMSG)

static void test_good_requests(void **state) {
        LoaderRequest r = good_request();

        assert_ok(check(&r));
        memset(r.module, 'm', sizeof(r.module) - 1);
        memset(r.path, '/', sizeof(r.path) - 1);
        assert_ok(check(&r));

        for (LoaderOp op = LOADER_REMOVE; op < _LOADER_OP_MAX; op++) {
                r = good_request();
                r.op = op;
                r.path[0] = '\0';
                if (op == LOADER_LOOK)
                        r.module[0] = '\0';     /* it is about a request, not about a module */
                assert_ok(check(&r));
        }

        r = request_with_words();
        assert_ok(check(&r));
        r.op = LOADER_INSTALL_COMMAND;
        assert_ok(check(&r));
        r.op = LOADER_REMOVE; /* there is nothing to have parameters */
        assert_refused(r);
        r.op = LOADER_REMOVE_COMMAND;
        assert_refused(r);
}

static void test_size_and_magic(void **state) {
        LoaderRequest r = good_request();

        for (size_t size = 0; size < sizeof(r) + 2; size++)
                if (size != LOADER_REQUEST_SIZE(0))
                        assert_int_equal(loader_check_request(&r, size), -EBADMSG);
        assert_int_equal(loader_check_request(&r, SIZE_MAX), -EBADMSG);
        r = request_with_words();
        assert_int_equal(loader_check_request(&r, LOADER_REQUEST_SIZE(0)), -EBADMSG);

        r.magic = LOADER_MAGIC + 1;
        assert_refused(r);
        r.magic = 0;
        assert_refused(r);
}

static void test_operations(void **state) {
        static const uint32_t ops[] = { 0, _LOADER_OP_MAX, _LOADER_OP_MAX + 1, INT32_MAX, UINT32_MAX };

        for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
                LoaderRequest r = good_request();

                r.op = ops[i];
                assert_refused(r);
        }
}

static void test_flags(void **state) {
        static const struct {
                LoaderOp op;
                uint32_t flags;
                int result;
        } cases[] = {
                { LOADER_INSERT, LOADER_FORCE_VERMAGIC | LOADER_FORCE_MODVERSIONS | LOADER_HAS_CLIENT, 0 },
                { LOADER_INSERT, LOADER_FORCE_REMOVAL, -EBADMSG },
                { LOADER_REMOVE, LOADER_FORCE_REMOVAL | LOADER_HAS_CLIENT, 0 },
                { LOADER_REMOVE, LOADER_FORCE_VERMAGIC, -EBADMSG },
                { LOADER_INSTALL_COMMAND, LOADER_HAS_CLIENT, 0 },
                { LOADER_INSTALL_COMMAND, LOADER_FORCE_VERMAGIC, -EBADMSG },
                { LOADER_REMOVE_COMMAND, LOADER_HAS_CLIENT, -EBADMSG },
                { LOADER_INSERT, 1U << 31, -EBADMSG },
                { LOADER_INSERT, 1U << 4, -EBADMSG },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                LoaderRequest r = good_request();

                r.op = cases[i].op;
                r.flags = cases[i].flags;
                assert_int_equal(check(&r), cases[i].result);
        }
}

static void test_strings_that_do_not_end(void **state) {
        LoaderRequest r = good_request();

        memset(r.module, 'm', sizeof(r.module));
        assert_refused(r);
        r = good_request();
        memset(r.path, '/', sizeof(r.path));
        assert_refused(r);
        r = request_with_words();
        memset(r.words.text, 'p', sizeof(r.words.text));
        assert_refused(r);
        r = request_with_words();
        memset(r.words.strings + 1, 's', sizeof(r.words.strings) - 1);
        assert_refused(r);
}

/* The origins have to cover all of the text, and nothing behind it. */
static void test_origins(void **state) {
        LoaderRequest r;

#define TRY(change)                       \
        do {                              \
                r = request_with_words(); \
                change;                   \
                assert_refused(r);        \
        } while (0)
        TRY(r.words.n_origins = 1); /* " b=2" would be nobody's */
        TRY(r.words.n_origins = 3);
        TRY(r.words.n_origins = LOADER_ORIGINS_MAX + 1);
        TRY(r.words.n_origins = UINT32_MAX);
        TRY(r.words.origins[0].size = 2);
        TRY(r.words.origins[0].size = 4);
        TRY(r.words.origins[0].size = 0);
        TRY(r.words.origins[1].size = UINT16_MAX);
        TRY(r.words.origins[1].size = PARAMETERS_MAX);
        TRY(r.words.origins[0].kind = 0);
        TRY(r.words.origins[0].kind = _LOADER_ORIGIN_KIND_MAX);
        TRY(r.words.origins[0].kind = UINT16_MAX);
        TRY(r.words.origins[0].name = LOADER_STRINGS_MAX);
        TRY(r.words.origins[0].file = UINT16_MAX);
        TRY(r.words.origins[1].alias_file = LOADER_STRINGS_MAX);
        TRY(r.words.origins[1].reserved = 1);
        TRY(r.words.strings[0] = 'x');
        TRY(r.words.text[3] = ',');
        TRY(r.words.text[3] = '\0');
        TRY((void) strcat(r.words.text, " c=3"));
        TRY(r.words.reserved = 1);
        TRY(r.reserved = 1);
#undef TRY
}

static void test_names(void **state) {
        static const char *const bad[] = { "",     "a b",  "a/b", "../a", "/",     "a\n", "\x7f",
                                           "\xff", "a\tb", " a",  ".",    "..",    ".a",  "$(id)",
                                           "a;b",  "`id`", "a*",  "a[b]", "\"a\"", "a\\" };

        LoaderRequest look = good_request();

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                LoaderRequest r = good_request();

                (void) stpcpy(r.module, bad[i]);
                assert_refused(r);
        }
        look.op = LOADER_LOOK;
        assert_refused(look);
}

static void test_paths(void **state) {
        static const char *const bad[] = { "", "loop.ko", "./loop.ko", "../loop.ko", " /loop.ko" };

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                LoaderRequest r = good_request();

                (void) stpcpy(r.path, bad[i]);
                assert_refused(r);
        }
}

/* Of another version: it is told so in four bytes that all versions have, and is not read any further. */
static void test_another_version(void **state) {
        LoaderRequest r = good_request(), got = {};
        uint32_t said[2] = {};
        int fds[2], client_fd = -EBADF;
        size_t size;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        r.magic = LOADER_MAGIC + 1;
        assert_int_equal(send(fds[0], &r, 5, 0), 5);
        assert_int_equal(loader_receive(fds[1], &got, &size, &client_fd), 0);
        assert_int_equal(recv(fds[0], said, sizeof(said), MSG_DONTWAIT), 4);
        assert_int_equal(said[0], LOADER_MAGIC);

        /* no word to whoever speaks something else */
        assert_int_equal(send(fds[0], "nonsense", 8, 0), 8);
        assert_int_equal(loader_receive(fds[1], &got, &size, &client_fd), 0);
        assert_int_equal(recv(fds[0], said, sizeof(said), MSG_DONTWAIT), -1);
        assert_int_equal(client_fd, -EBADF);
        close(fds[0]);
        close(fds[1]);
}

/* One after the other, and "none" is not the end. */
static void test_receives(void **state) {
        LoaderRequest r = good_request(), got = {};
        int fds[2], client_fd = -EBADF;
        size_t size;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(loader_receive(fds[1], &got, &size, &client_fd), -EAGAIN);
        assert_int_equal(send(fds[0], &r, LOADER_REQUEST_SIZE(0), 0), LOADER_REQUEST_SIZE(0));
        assert_int_equal(loader_receive(fds[1], &got, &size, &client_fd), 1);
        assert_int_equal(size, LOADER_REQUEST_SIZE(0));
        assert_string_equal(got.module, "loop");
        close(fds[0]);
        assert_int_equal(loader_receive(fds[1], &got, &size, &client_fd), 0);
        close(fds[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good_requests),
                cmocka_unit_test(test_size_and_magic),
                cmocka_unit_test(test_operations),
                cmocka_unit_test(test_flags),
                cmocka_unit_test(test_strings_that_do_not_end),
                cmocka_unit_test(test_origins),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_another_version),
                cmocka_unit_test(test_receives),
        };

        return RUN_TESTS(tests);
}
