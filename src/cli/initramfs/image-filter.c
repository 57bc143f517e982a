/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ImageFilter: see image-filter.h. An image may be made to harm whoever reads it, as root does. From here on there is
 * no other user, no file that could be opened, and hardly a system call. Owns nothing.
 */

#include "cli/initramfs/image-filter.h"

#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "cli/initramfs/image-limits.h"
#include "common/base/util.h"

#define NOBODY 65534U

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
# define SANITIZED 1
#elif defined(__has_feature)
# if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#  define SANITIZED 1
# endif
#endif
#ifndef SANITIZED
# define SANITIZED 0                    /* sanitizers need more memory and calls of their own */
#endif

/*
 * The numbers are those of this build. A process cannot call by those of another architecture: whoever started it
 * with this executable decided about that, and what it runs is no foreign code.
 */
static const unsigned calls[] = {
        SYS_read,   SYS_write,      SYS_writev, SYS_lseek,    SYS_close,         SYS_munmap,
        SYS_mremap, SYS_mprotect,   SYS_brk,    SYS_futex,    SYS_exit_group,    SYS_exit,
        SYS_madvise, SYS_getrandom, SYS_clock_gettime, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_gettid,
        SYS_getpid, SYS_tgkill,
#ifdef SYS_mmap
        SYS_mmap,
#endif
#ifdef SYS_mmap2
        SYS_mmap2,
#endif
#ifdef SYS__llseek
        SYS__llseek,
#endif
#ifdef SYS_fstat
        SYS_fstat,
#endif
#ifdef SYS_fstat64
        SYS_fstat64,
#endif
#ifdef SYS_newfstatat
        SYS_newfstatat,                 /* how the C library has fstat() */
#endif
#ifdef SYS_statx
        SYS_statx,
#endif
};

static int install_calls(void) {
        struct sock_filter code[2 * ARRAY_LEN(calls) + 2];
        struct sock_fprog program = { .filter = code };
        size_t n = 0;

        code[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                  offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
                code[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
                code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        }
        code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
        program.len = (unsigned short) n;
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
                return errno == ENOSYS || errno == EINVAL ? 0 : -errno; /* a kernel without */
        return 0;
}

static int set_limit(__rlimit_resource_t what, uint64_t value) {
        const struct rlimit limit = { value, value };

        return setrlimit(what, &limit) < 0 ? -errno : 0;
}

static int become_nobody(void) {
        if (geteuid() != 0)
                return 0;
        if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
            setresuid(NOBODY, NOBODY, NOBODY) < 0)
                return -errno;
        return 0;
}

/**
 * image_filter_install() - from here on, read what is open, write to what is open, and get memory
 *
 * Return: 0; why it cannot be done.
 */
int image_filter_install(void) {
        int r;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;
        r = become_nobody();
        if (r >= 0)
                r = set_limit(RLIMIT_CPU, PROCESSOR_SECONDS_MAX);
        if (r < 0 || SANITIZED)
                return r;
        r = set_limit(RLIMIT_AS, MEMORY_MAX);
        if (r >= 0)
                r = set_limit(RLIMIT_NOFILE, 0);
        return r < 0 ? r : install_calls();
}
