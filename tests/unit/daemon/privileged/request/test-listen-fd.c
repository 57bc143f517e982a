/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each case is a process of its own, with what systemd would pass as descriptor 3. */

#include "daemon/privileged/request/listen-fd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/base/util.h"
#include "scratch.h"
#include "test.h"

typedef struct Case {
        int type;                       /* 0: no socket */
        bool listens, wants_listening;
        const char *count;
        bool other_process;
        int result;
} Case;

/* Exits with 0 if it is as expected. */
static void run_case(const Case *c) {
        char pid[16];
        int fds[2] = { -EBADF, -EBADF }, fd;

        if (c->type == 0)
                fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        else if (c->listens) {
                fd = socket(AF_UNIX, c->type | SOCK_CLOEXEC, 0);
                if (listen(fd, 1) < 0)  /* an address is bound by itself */
                        _exit(2);
        } else
                fd = socketpair(AF_UNIX, c->type | SOCK_CLOEXEC, 0, fds) < 0 ? -1 : fds[0];
        if (fd < 0 || (fd != 3 && dup2(fd, 3) < 0))
                _exit(3);
        (void) snprintf(pid, sizeof(pid), "%d", (int) getpid() + c->other_process);
        if (setenv("LISTEN_PID", pid, 1) < 0 || setenv("LISTEN_FDS", c->count, 1) < 0)
                _exit(4);
        if (listen_fd_take(c->wants_listening) != c->result)
                _exit(5);
        _exit(c->result < 0 || (fcntl(3, F_GETFD) & FD_CLOEXEC) ? 0 : 6);
}

static void test_what_systemd_passes(void **state) {
        static const Case cases[] = {
                { SOCK_SEQPACKET, false, false, "1", false, 3 },
                { SOCK_SEQPACKET, false, true, "1", false, -EINVAL },
                { SOCK_STREAM, false, false, "1", false, -EINVAL },
                { SOCK_SEQPACKET, false, false, "1", true, -EINVAL }, /* it is for the parent */
                { SOCK_SEQPACKET, false, false, "2", false, -EINVAL },
                { SOCK_SEQPACKET, false, false, "", false, -EINVAL },
                { SOCK_SEQPACKET, false, false, "1x", false, -EINVAL },
                { 0, false, false, "1", false, -EINVAL },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                pid_t pid = fork();
                int status;

                if (pid == 0)
                        run_case(cases + i);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFEXITED(status));
                assert_int_equal(WEXITSTATUS(status), 0);
        }
}

static void test_by_hand(void **state) {
        assert_int_equal(unsetenv("LISTEN_PID"), 0);
        assert_int_equal(listen_fd_take(true), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_systemd_passes),
                cmocka_unit_test(test_by_hand),
        };

        return RUN_TESTS(tests);
}
