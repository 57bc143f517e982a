/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/loader.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "scratch.h"
#include "test.h"

/* ---------------------------------------------------------------------------------- which files it opens */

static int try_open(const Scratch *s, const char *name) {
        int fd = loader_open_module(scratch_path(s, "lib/modules"), scratch_path(s, name));

        if (fd < 0)
                return fd;
        close(fd);
        return 0;
}

static void scratch_tree(Scratch *s) {
        scratch_open(s);
        scratch_write(s, "lib/modules/1.0/kernel/a.ko", "x");
        scratch_write(s, "outside.ko", "x");
        scratch_write(s, "lib/modules-of-another/b.ko", "x");
}

static void test_opens_what_lies_within(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/a.ko"), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/../1.0/kernel//a.ko"), 0);

        scratch_link(&s, "lib/modules/1.0/weak-updates/a.ko", "../kernel/a.ko");
        scratch_link(&s, "lib/modules/2.0", "1.0");
        assert_int_equal(try_open(&s, "lib/modules/1.0/weak-updates/a.ko"), 0);
        assert_int_equal(try_open(&s, "lib/modules/2.0/kernel/a.ko"), 0);
}

/* As on a system whose /lib is usr/lib. */
static void test_root_that_is_a_link(void **state) {
        _cleanup_(scratch_close) Scratch s;
        int fd;

        scratch_tree(&s);
        scratch_link(&s, "short", "lib");
        fd = loader_open_module(scratch_path(&s, "short/modules"),
                                scratch_path(&s, "lib/modules/1.0/kernel/a.ko"));
        assert_true(fd >= 0);
        close(fd);
        fd = loader_open_module(scratch_path(&s, "lib/modules"),
                                scratch_path(&s, "short/modules/1.0/kernel/a.ko"));
        assert_true(fd >= 0);
        close(fd);
}

static void test_opens_nothing_else(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(try_open(&s, "outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules-of-another/b.ko"), -EXDEV); /* the same beginning is not enough */
        assert_int_equal(try_open(&s, "lib/modules/../../outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/../../../outside.ko"), -EXDEV);

        scratch_link(&s, "lib/modules/1.0/link.ko", "../../../outside.ko");
        scratch_link(&s, "lib/modules/elsewhere", "../..");
        assert_int_equal(try_open(&s, "lib/modules/1.0/link.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/elsewhere/outside.ko"), -EXDEV);
        assert_int_equal(loader_open_module(scratch_path(&s, "lib/modules"), "/etc/passwd"), -EXDEV);
        assert_int_equal(loader_open_module(scratch_path(&s, "lib/modules"), "/proc/self/status"), -EXDEV);
}

static void test_only_regular_files(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(mkfifo(scratch_path(&s, "lib/modules/1.0/fifo.ko"), 0644), 0);
        scratch_link(&s, "lib/modules/1.0/null.ko", "/dev/null");
        assert_int_equal(try_open(&s, "lib/modules/1.0/fifo.ko"), -EINVAL); /* without waiting for its other end */
        assert_int_equal(try_open(&s, "lib/modules/1.0/null.ko"), -EINVAL);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel"), -EINVAL);
}

static void test_what_is_not_there(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        scratch_link(&s, "lib/modules/1.0/loop.ko", "loop.ko");
        scratch_link(&s, "lib/modules/1.0/dangling.ko", "nowhere");
        assert_int_equal(try_open(&s, "lib/modules/1.0/none.ko"), -ENOENT);
        assert_int_equal(try_open(&s, "lib/modules/1.0/dangling.ko"), -ENOENT);
        assert_int_equal(try_open(&s, "lib/modules/1.0/loop.ko"), -ELOOP);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/a.ko/b.ko"), -ENOTDIR);
        assert_int_equal(loader_open_module(scratch_path(&s, "no/modules"), scratch_path(&s, "outside.ko")),
                         -ENOENT);
}

/* ------------------------------------------------------------------------------- which requests it takes */

static LoaderRequest good_request(void) {
        return (LoaderRequest) {
                .magic = LOADER_MAGIC,
                .op = LOADER_INSERT,
                .id = 7,
                .module = "loop",
                .path = "/lib/modules/loop.ko",
                .parameters = "max_loop=8",
        };
}

static void test_good_requests(void **state) {
        LoaderRequest r = good_request();

        assert_ok(loader_check_request(&r, sizeof(r)));
        memset(r.module, 'm', sizeof(r.module) - 1);
        memset(r.path, '/', sizeof(r.path) - 1);
        memset(r.parameters, '\xff', sizeof(r.parameters) - 1); /* bytes that are the kernel's business */
        assert_ok(loader_check_request(&r, sizeof(r)));

        for (LoaderOp op = LOADER_REMOVE; op < _LOADER_OP_MAX; op++) {
                r = good_request();
                r.op = op;
                r.path[0] = r.parameters[0] = '\0';
                if (op == LOADER_LOOK)
                        r.module[0] = '\0';     /* it is about a request, not about a module */
                assert_ok(loader_check_request(&r, sizeof(r)));
        }
}

#define assert_refused(r) assert_int_equal(loader_check_request(&(r), sizeof(r)), -EBADMSG)

static void test_size_and_magic(void **state) {
        LoaderRequest r = good_request();

        for (size_t size = 0; size < 64; size++)
                assert_int_equal(loader_check_request(&r, size), -EBADMSG);
        assert_int_equal(loader_check_request(&r, sizeof(r) - 1), -EBADMSG);
        assert_int_equal(loader_check_request(&r, sizeof(r) + 1), -EBADMSG);
        assert_int_equal(loader_check_request(&r, SIZE_MAX), -EBADMSG);

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

static void test_strings_that_do_not_end(void **state) {
        LoaderRequest r = good_request();

        memset(r.module, 'm', sizeof(r.module));
        assert_refused(r);
        r = good_request();
        memset(r.path, '/', sizeof(r.path));
        assert_refused(r);
        r = good_request();
        memset(r.parameters, 'p', sizeof(r.parameters));
        assert_refused(r);
        r.op = LOADER_REMOVE;           /* also where it is not used */
        assert_refused(r);
}

static void test_names(void **state) {
        static const char *const bad[] = {
                "", "a b", "a/b", "../a", "/", "a\n", "\x7f", "\xff", "a\tb", " a"
        };

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

/* ----------------------------------------------------------------------------------------- how it serves */

typedef struct Server {
        Scratch scratch;
        struct sockaddr_un address;
        int listen_fd, result;
        pthread_t thread;
} Server;

static void *run(void *userdata) {
        Server *s = userdata;

        s->result = loader_run(s->listen_fd);
        return NULL;
}

static int connect_to(const Server *s) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (const struct sockaddr *) &s->address, sizeof(s->address)), 0);
        return fd;
}

/* With a manager that has connected, as when systemd starts it. */
static int server_start(Server *s) {
        int fd;

        *s = (Server) { .address.sun_family = AF_UNIX };
        scratch_open(&s->scratch);
        (void) stpcpy(s->address.sun_path, scratch_path(&s->scratch, "loader"));
        s->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(s->listen_fd, (const struct sockaddr *) &s->address, sizeof(s->address)), 0);
        assert_int_equal(listen(s->listen_fd, 4), 0);
        fd = connect_to(s);
        assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
        return fd;
}

/* It leaves by itself when nobody is there any more. */
static void server_join(Server *s) {
        assert_int_equal(pthread_join(s->thread, NULL), 0);
        assert_int_equal(s->result, 0);
        close(s->listen_fd);
        scratch_close(&s->scratch);
}

static void ask(int fd, const LoaderRequest *r) {
        assert_int_equal(send(fd, r, sizeof(*r), MSG_NOSIGNAL), sizeof(*r));
}

static LoaderReply hear(int fd) {
        LoaderReply reply = {};

        assert_int_equal(recv(fd, &reply, sizeof(reply), 0), sizeof(reply));
        assert_int_equal(reply.magic, LOADER_MAGIC);
        return reply;
}

static void test_serves(void **state) {
        LoaderRequest r = good_request();
        LoaderReply reply;
        Server s;
        int fd;

        fd = server_start(&s);
        (void) stpcpy(r.path, "/nonexistent.ko");
        ask(fd, &r);
        reply = hear(fd);
        assert_int_equal(reply.id, 7);
        assert_int_equal(reply.error, -ENOENT);

        r.op = LOADER_INSTALL_COMMAND;  /* no line of modprobe.d speaks of it */
        r.id = UINT64_MAX;
        (void) stpcpy(r.module, "lkmdt_none");
        ask(fd, &r);
        reply = hear(fd);
        assert_true(reply.id == UINT64_MAX);
        assert_int_equal(reply.error, -ENOENT);

        close(fd);
        server_join(&s);
}

static void test_many_requests_at_once(void **state) {
        LoaderRequest r = good_request();
        uint64_t heard = 0;
        Server s;
        int fd;

        fd = server_start(&s);
        (void) stpcpy(r.path, "/nonexistent.ko");
        for (r.id = 0; r.id < LOADS_MAX; r.id++)
                ask(fd, &r);
        for (unsigned i = 0; i < LOADS_MAX; i++)
                heard |= UINT64_C(1) << hear(fd).id;
        assert_int_equal(heard, (UINT64_C(1) << LOADS_MAX) - 1);
        close(fd);
        server_join(&s);
}

/* What is over, or never was, is nowhere; the connection goes on. */
static void test_looks_for_what_is_over(void **state) {
        LoaderRequest r = good_request(), look = { .magic = LOADER_MAGIC, .op = LOADER_LOOK, .id = 7 };
        LoaderReply reply;
        Server s;
        int fd;

        fd = server_start(&s);
        (void) stpcpy(r.path, "/nonexistent.ko");
        ask(fd, &r);
        assert_int_equal(hear(fd).op, LOADER_INSERT);
        ask(fd, &look);
        reply = hear(fd);
        assert_int_equal(reply.op, LOADER_LOOK);
        assert_int_equal(reply.id, 7);
        assert_int_equal(reply.thread_id, 0);
        assert_string_equal(reply.stack, "");
        ask(fd, &r);
        assert_int_equal(hear(fd).error, -ENOENT);
        close(fd);
        server_join(&s);
}

static void test_nonsense_ends_the_connection(void **state) {
        char byte;
        Server s;
        int fd;

        fd = server_start(&s);
        assert_int_equal(send(fd, "nonsense", 8, MSG_NOSIGNAL), 8);
        assert_int_equal(recv(fd, &byte, 1, 0), 0);
        server_join(&s);
        close(fd);
}

/* A manager that was restarted is served at once; its predecessor is let go. */
static void test_newest_manager_is_served(void **state) {
        LoaderRequest r = good_request();
        int old_fd, new_fd;
        char byte;
        Server s;

        old_fd = server_start(&s);
        (void) stpcpy(r.path, "/nonexistent.ko");
        ask(old_fd, &r);
        (void) hear(old_fd);
        new_fd = connect_to(&s);
        assert_int_equal(recv(old_fd, &byte, 1, 0), 0);
        ask(new_fd, &r);
        assert_int_equal(hear(new_fd).error, -ENOENT);
        close(old_fd);
        close(new_fd);
        server_join(&s);
}

/* It hung up before the answer: the request runs to its end, nobody is told. */
static void test_manager_hangs_up(void **state) {
        LoaderRequest r = good_request();
        Server s;
        int fd;

        fd = server_start(&s);
        for (unsigned i = 0; i < 8; i++)
                ask(fd, &r);
        close(fd);
        server_join(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_opens_what_lies_within),
                cmocka_unit_test(test_root_that_is_a_link),
                cmocka_unit_test(test_opens_nothing_else),
                cmocka_unit_test(test_only_regular_files),
                cmocka_unit_test(test_what_is_not_there),
                cmocka_unit_test(test_good_requests),
                cmocka_unit_test(test_size_and_magic),
                cmocka_unit_test(test_operations),
                cmocka_unit_test(test_strings_that_do_not_end),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_serves),
                cmocka_unit_test(test_many_requests_at_once),
                cmocka_unit_test(test_looks_for_what_is_over),
                cmocka_unit_test(test_nonsense_ends_the_connection),
                cmocka_unit_test(test_newest_manager_is_served),
                cmocka_unit_test(test_manager_hangs_up),
        };

        return RUN_TESTS(tests);
}
