/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/loader/loader.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/privileged/request/loader-protocol.h"
#include "scratch.h"
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

/* One that comes to its end at once. */
static LoaderRequest missing_file(void) {
        LoaderRequest r = good_request();

        (void) stpcpy(r.path, "/lib/modules/none/loop.ko");
        return r;
}

static LoaderRequest look_request(void) {
        return (LoaderRequest) { .magic = LOADER_MAGIC, .op = LOADER_LOOK, .id = 7 };
}

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

static void server_stop(Server *s, int fd) {
        close(fd);
        server_join(s);
}

static void ask(int fd, const LoaderRequest *r) {
        assert_int_equal(send(fd, r, LOADER_REQUEST_SIZE(r->words.n_origins), MSG_NOSIGNAL),
                         LOADER_REQUEST_SIZE(r->words.n_origins));
}

static LoaderReply hear(int fd) {
        LoaderReply reply = {};

        assert_int_equal(recv(fd, &reply, sizeof(reply), 0), sizeof(reply));
        assert_int_equal(reply.magic, LOADER_MAGIC);
        return reply;
}

static void test_serves(void **state) {
        LoaderRequest r = missing_file();
        LoaderReply reply;
        Server s;
        int fd;

        fd = server_start(&s);
        ask(fd, &r);
        reply = hear(fd);
        assert_int_equal(reply.id, 7);
        assert_int_equal(reply.error, -ENOENT);
        assert_int_equal(reply.refusal, LOADER_NOT_REFUSED);

        (void) stpcpy(r.path, "/lib/modules/none/other.ko");
        ask(fd, &r);
        reply = hear(fd);
        assert_int_equal(reply.error, -EPERM);
        assert_int_equal(reply.refusal, LOADER_REFUSED_NAME);

        r.op = LOADER_INSTALL_COMMAND; /* which is for lkmd-command */
        r.id = UINT64_MAX;
        ask(fd, &r);
        reply = hear(fd);
        assert_true(reply.id == UINT64_MAX);
        assert_int_equal(reply.error, -EOPNOTSUPP);

        server_stop(&s, fd);
}

static void test_many_requests_at_once(void **state) {
        LoaderRequest r = missing_file();
        uint64_t heard = 0;
        Server s;
        int fd;

        fd = server_start(&s);
        for (r.id = 0; r.id < LOADS_MAX; r.id++)
                ask(fd, &r);
        for (unsigned i = 0; i < LOADS_MAX; i++)
                heard |= UINT64_C(1) << hear(fd).id;
        assert_int_equal(heard, (UINT64_C(1) << LOADS_MAX) - 1);
        server_stop(&s, fd);
}

/* What is over, or never was, is nowhere; the connection goes on. */
static void test_looks_for_what_is_over(void **state) {
        LoaderRequest r = missing_file(), look = look_request();
        LoaderReply reply;
        Server s;
        int fd;

        fd = server_start(&s);
        ask(fd, &r);
        assert_int_equal(hear(fd).op, LOADER_INSERT);
        ask(fd, &look);
        reply = hear(fd);
        assert_int_equal(reply.op, LOADER_LOOK);
        assert_int_equal(reply.id, 7);
        assert_int_equal(reply.thread_id, 0);
        assert_string_equal(reply.text, "");
        ask(fd, &r);
        assert_int_equal(hear(fd).error, -ENOENT);
        server_stop(&s, fd);
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
        LoaderRequest r = missing_file();
        int old_fd, new_fd;
        char byte;
        Server s;

        old_fd = server_start(&s);
        ask(old_fd, &r);
        (void) hear(old_fd);
        new_fd = connect_to(&s);
        assert_int_equal(recv(old_fd, &byte, 1, 0), 0);
        ask(new_fd, &r);
        assert_int_equal(hear(new_fd).error, -ENOENT);
        close(old_fd);
        server_stop(&s, new_fd);
}

/* It hung up before the reply: the request runs to its end, and the reply is dropped. */
static void test_manager_hangs_up(void **state) {
        LoaderRequest r = good_request();
        Server s;
        int fd;

        fd = server_start(&s);
        for (unsigned i = 0; i < 8; i++)
                ask(fd, &r);
        server_stop(&s, fd);
}

/* Packets that nobody reads the answers to, as many as go in. */
static void fill(int fd, const LoaderRequest *r) {
        struct pollfd p = { .fd = fd, .events = POLLOUT };

        while (poll(&p, 1, 1000) == 1 && !(p.revents & POLLHUP))
                if (send(fd, r, LOADER_REQUEST_SIZE(0), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EPIPE)
                        return;
}

/* A manager that does not read its answers is let go, and holds up neither the next one nor the end. */
static void test_a_manager_that_does_not_read(void **state) {
        LoaderRequest look = look_request(), r = missing_file();
        int old_fd, new_fd;
        Server s;

        old_fd = server_start(&s);
        fill(old_fd, &look); /* until it is hung up on */
        new_fd = connect_to(&s);
        ask(new_fd, &r);
        assert_int_equal(hear(new_fd).error, -ENOENT);
        close(old_fd);
        server_stop(&s, new_fd);
}

/* Also when nobody reads what it has to say, and there is more to be said. */
static void test_a_signal_comes_first(void **state) {
        LoaderRequest look = look_request();
        sigset_t mask;
        Server s;
        int fd;

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        assert_int_equal(pthread_sigmask(SIG_BLOCK, &mask, NULL), 0);
        fd = server_start(&s);
        for (unsigned i = 0; i < 349; i++)
                (void) send(fd, &look, LOADER_REQUEST_SIZE(0), MSG_NOSIGNAL | MSG_DONTWAIT);
        assert_int_equal(kill(getpid(), SIGTERM), 0);
        server_join(&s);
        close(fd);
        assert_int_equal(sigtimedwait(&mask, NULL, &(struct timespec) {}), SIGTERM); /* it is pending still */
        assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &mask, NULL), 0);
}

static size_t count_descriptors(void) {
        _cleanup_(closedirp) DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        return n;
}

static void send_with(int fd, const LoaderRequest *r, unsigned n_fds) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(8 * sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
        struct iovec iov = { .iov_base = (void *) r, .iov_len = LOADER_REQUEST_SIZE(r->words.n_origins) };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes };
        int fds[8];

        for (unsigned i = 0; i < n_fds; i++)
                fds[i] = STDERR_FILENO;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        (void) memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
        m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        assert_int_equal(sendmsg(fd, &m, MSG_NOSIGNAL), (ssize_t) iov.iov_len);
}

/* Whatever comes with a packet, asked for or not, one or many: nothing of it stays. */
static void test_keeps_no_descriptors(void **state) {
        static const uint32_t flags[] = { 0, LOADER_HAS_CLIENT };
        LoaderRequest r = missing_file();
        size_t before, after;
        Server s;
        int fd;

        fd = server_start(&s);
        ask(fd, &r);
        (void) hear(fd);
        before = count_descriptors();
        for (size_t i = 0; i < ARRAY_LEN(flags); i++)
                for (unsigned n = 1; n <= 8; n++) {
                        r.flags = flags[i];
                        send_with(fd, &r, n);
                        assert_int_equal(hear(fd).error, -ENOENT);
                }
        /* the last thread may still be closing its own: the end waits for it */
        r.flags = 0;
        ask(fd, &r);
        (void) hear(fd);
        shutdown(fd, SHUT_WR);
        assert_int_equal(pthread_join(s.thread, NULL), 0);
        after = count_descriptors();
        assert_true(after >= before - 3 && after <= before); /* less its own: signals and connection */
        close(fd);
        close(s.listen_fd);
        scratch_close(&s.scratch);
}

/* Force is for root's process, whose connection comes along. */
static void test_force_needs_root(void **state) {
        LoaderRequest r = missing_file();
        LoaderReply reply;
        Server s;
        int fd;

        fd = server_start(&s);
        r.flags = LOADER_FORCE_VERMAGIC;
        ask(fd, &r);
        reply = hear(fd);
        assert_int_equal(reply.error, -EPERM);
        assert_int_equal(reply.refusal, LOADER_REFUSED_CLIENT);
        r.flags |= LOADER_HAS_CLIENT;
        send_with(fd, &r, 1);
        assert_int_equal(hear(fd).refusal, LOADER_REFUSED_CLIENT);
        server_stop(&s, fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_serves),
                cmocka_unit_test(test_many_requests_at_once),
                cmocka_unit_test(test_looks_for_what_is_over),
                cmocka_unit_test(test_nonsense_ends_the_connection),
                cmocka_unit_test(test_newest_manager_is_served),
                cmocka_unit_test(test_manager_hangs_up),
                cmocka_unit_test(test_a_manager_that_does_not_read),
                cmocka_unit_test(test_a_signal_comes_first),
                cmocka_unit_test(test_keeps_no_descriptors),
                cmocka_unit_test(test_force_needs_root),
        };

        return RUN_TESTS(tests);
}
