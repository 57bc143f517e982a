/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What lkmd-loader can still do behind its filter. Each case is a process of its own: a filter cannot be removed. The
 * calls are made directly, without the C library, which has ways of its own.
 */

#include "daemon/privileged/loader/loader-filter.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/base/util.h"
#include "test.h"

#define CANNOT_BE_TESTED 254

typedef struct Case {
        const char *name;
        long call, a, b, c, d, e, f;
        int error;                      /* 0: what the kernel says without the filter */
} Case;

/* Return: its errno, 0. */
static int make_call(const Case *c) {
        return syscall(c->call, c->a, c->b, c->c, c->d, c->e, c->f) < 0 ? errno : 0;
}

/* In a child. None of the forbidden ones does anything, or the filter does not work. */
static int run_case(const Case *c, bool filtered) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                int r = filtered ? loader_filter_install() : 0;

                syscall(SYS_exit_group, r == -EOPNOTSUPP ? CANNOT_BE_TESTED : r < 0 ? 255 : make_call(c));
                __builtin_unreachable();
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void check(const Case *c) {
        int error = run_case(c, true), expected = c->error > 0 ? c->error : run_case(c, false);

        if (error == CANNOT_BE_TESTED)
                skip();
        if (error != expected)
                fail_msg("%s: errno %d instead of %d", c->name, error, expected);
}

#define PATH (long) "/nowhere/at/all"
#define CALL(name, ...) { #name, SYS_##name, __VA_ARGS__ }
#define ROW(what, name, ...) { what, SYS_##name, __VA_ARGS__ }

static void test_forbidden(void **state) {
        static char page[8192];
        const Case cases[] = {
                CALL(execve, PATH, 0, 0, .error = EPERM),
                CALL(execveat, AT_FDCWD, PATH, 0, 0, 0, .error = EPERM),
                CALL(socket, AF_UNIX, SOCK_STREAM, 0, .error = EPERM),
                CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, (long) page, .error = EPERM),
                CALL(bind, -1, 0, 0, .error = EPERM),
                CALL(connect, -1, 0, 0, .error = EPERM),
                ROW("open to write", openat, AT_FDCWD, PATH, O_WRONLY, .error = EPERM),
                ROW("open to read and write", openat, AT_FDCWD, PATH, O_RDWR | O_CLOEXEC, .error = EPERM),
                ROW("open to create", openat, AT_FDCWD, PATH, O_RDONLY | O_CREAT, 0600, .error = EPERM),
                ROW("open to truncate", openat, AT_FDCWD, PATH, O_RDONLY | O_TRUNC, .error = EPERM),
                ROW("open a new file", openat, AT_FDCWD, PATH, O_TMPFILE | O_WRONLY, .error = EPERM),
                ROW("open in a way of tomorrow", openat2, AT_FDCWD, PATH, (long) page, 24, .error = EPERM),
                CALL(unlinkat, AT_FDCWD, PATH, 0, .error = EPERM),
                CALL(mkdirat, AT_FDCWD, PATH, 0700, .error = EPERM),
                CALL(renameat2, AT_FDCWD, PATH, AT_FDCWD, PATH, 0, .error = EPERM),
                CALL(linkat, AT_FDCWD, PATH, AT_FDCWD, PATH, 0, .error = EPERM),
                CALL(symlinkat, PATH, AT_FDCWD, PATH, .error = EPERM),
                CALL(fchmodat, AT_FDCWD, PATH, 0777, .error = EPERM),
                CALL(fchownat, AT_FDCWD, PATH, 0, 0, 0, .error = EPERM),
                CALL(mknodat, AT_FDCWD, PATH, S_IFIFO, 0, .error = EPERM),
                CALL(ftruncate, -1, 0, .error = EPERM),
                CALL(mount, PATH, PATH, 0, 0, 0, .error = EPERM),
                CALL(umount2, PATH, 0, .error = EPERM),
                CALL(open_tree, AT_FDCWD, PATH, 0, .error = EPERM),
                CALL(chroot, PATH, .error = EPERM),
                CALL(unshare, CLONE_NEWNS, .error = EPERM),
                CALL(setns, -1, 0, .error = EPERM),
                CALL(setresuid, 0, 0, 0, .error = EPERM),
                CALL(capset, 0, 0, .error = EPERM),
                CALL(kill, 1, 0, .error = EPERM),
                ROW("signal another process", tgkill, 1, 1, 0, .error = EPERM),
                CALL(pidfd_send_signal, -1, 0, 0, 0, .error = EPERM),
                CALL(ptrace, PTRACE_TRACEME, 0, 0, 0, .error = EPERM),
                CALL(process_vm_writev, 1, 0, 0, 0, 0, 0, .error = EPERM),
                CALL(bpf, 0, 0, 0, .error = EPERM),
                CALL(perf_event_open, 0, 0, 0, 0, 0, .error = EPERM),
                CALL(io_uring_setup, 1, (long) page, .error = EPERM),
                CALL(userfaultfd, 0, .error = EPERM),
                CALL(keyctl, 0, 0, 0, .error = EPERM),
                CALL(memfd_create, PATH, 0, .error = EPERM),
                CALL(init_module, 0, 0, PATH, .error = EPERM),
                CALL(kexec_load, 0, 0, 0, 0, .error = EPERM),
                CALL(reboot, 0, 0, 0, 0, .error = EPERM),
                CALL(sethostname, PATH, 1, .error = EPERM),
                CALL(ioctl, 2, 0, 0, .error = EPERM),
                CALL(dup, 2, .error = EPERM),
                ROW("another name of the process", prctl, PR_SET_MM, 0, 0, 0, 0, .error = EPERM),
                ROW("keep capabilities", prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0, .error = EPERM),
                ROW("duplicate a descriptor", fcntl, 2, F_DUPFD, 0, .error = EPERM),
                ROW("signals for others", fcntl, 2, F_SETOWN, 1, .error = EPERM),
                ROW("set a limit", prlimit64, 0, 7, (long) page, 0, .error = EPERM),
                ROW("executable memory", mprotect, 0, 4096, PROT_READ | PROT_EXEC, .error = EPERM),
#ifdef SYS_mmap
                ROW("new executable memory", mmap, 0, 4096, PROT_READ | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, .error = EPERM),
#endif
#ifndef __s390x__
                ROW("a process", clone, SIGCHLD, 0, 0, 0, 0, .error = EPERM),
                ROW("a name space", clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWNET, 0, 0, 0,
                    0, .error = EPERM),
#endif
                ROW("a process in a way of tomorrow", clone3, (long) page, 64, .error = ENOSYS),
#ifdef SYS_fork
                CALL(fork, .error = EPERM),
                CALL(vfork, .error = EPERM),
                CALL(creat, PATH, 0600, .error = EPERM),
                ROW("open to write, the old way", open, PATH, O_WRONLY, 0, .error = EPERM),
#endif
#ifdef __x86_64__
                { "x32", 0x40000000L + 59, 0, .error = EPERM },
#endif
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                check(cases + i);
}

static void test_allowed(void **state) {
        static char page[8192];
        const Case cases[] = {
                CALL(finit_module, -1, PATH, 0),
                CALL(delete_module, 0, O_NONBLOCK),
                ROW("open to read", openat, AT_FDCWD, PATH, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
                ROW("open a place", openat, AT_FDCWD, PATH, O_PATH | O_NOFOLLOW | O_CLOEXEC),
                CALL(read, -1, (long) page, 1),
                CALL(write, -1, (long) page, 1),
                CALL(recvmsg, -1, (long) page, 0),
                CALL(sendto, -1, (long) page, 1, 0, 0, 0),
                CALL(accept4, -1, 0, 0, 0),
                CALL(getsockopt, -1, 0, 0, 0, 0),
                ROW("do not wait", fcntl, -1, F_SETFL, O_NONBLOCK),
                ROW("name a thread", prctl, PR_SET_NAME, (long) "+loop", 0, 0, 0),
                ROW("look at a limit", prlimit64, 0, 7, 0, (long) page),
                ROW("memory", mprotect, 0, 4096, PROT_READ | PROT_WRITE),
                CALL(gettid),
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                check(cases + i);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forbidden),
                cmocka_unit_test(test_allowed),
        };

        return RUN_TESTS(tests);
}
