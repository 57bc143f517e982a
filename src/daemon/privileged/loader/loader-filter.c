/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderFilter: a seccomp(2) filter made of one table. lkmd-loader keeps all capabilities of root, because the init of
 * a module looks at those of whoever loads it. What it may do with them is cut here instead: the kernel's own code,
 * which the init is, makes no system calls, and so notices nothing.
 *
 * No program can be executed, no memory made executable, no socket made, no file opened for writing, no process
 * signalled, traced or entered, and no credential, name space or mount changed. Owns nothing.
 */

#include "daemon/privileged/loader/loader-filter.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "common/base/util.h"

#if defined(__x86_64__)
# define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
# define NATIVE_ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__)
# define NATIVE_ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
# define NATIVE_ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
# define NATIVE_ARCH AUDIT_ARCH_RISCV64
#elif defined(__loongarch64)
# define NATIVE_ARCH AUDIT_ARCH_LOONGARCH64
#elif defined(__s390x__)
# define NATIVE_ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && __BYTE_ORDER == __LITTLE_ENDIAN
# define NATIVE_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__powerpc64__)
# define NATIVE_ARCH AUDIT_ARCH_PPC64
#elif defined(__mips64) && __BYTE_ORDER == __LITTLE_ENDIAN
# define NATIVE_ARCH AUDIT_ARCH_MIPSEL64
#endif                                  /* others have only the filter of lkmd-loader.service */

#ifdef __s390x__
# define CLONE_FLAGS_ARGUMENT 1          /* CONFIG_CLONE_BACKWARDS2, kernel/fork.c */
#else
# define CLONE_FLAGS_ARGUMENT 0
#endif

#define NAME_SPACES                                                                                           \
        (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
         CLONE_NEWNET)
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)

typedef enum Condition {
        ALWAYS,
        UNLESS_ANY, /* of the bits @value is set in the argument */
        IF_EQUAL, /* the argument is @value; rows of the same call are tried one after the other */
        IF_OWN_PROCESS, /* the argument is the process itself */
        IF_NULL, /* the argument is a null pointer */
        IF_THREAD, /* the argument has the flags of a thread, clone(2) */
        NOT_THERE, /* ENOSYS: the C library then tries another one */
} Condition;

typedef struct Call {
        unsigned number;
        Condition condition;
        unsigned argument;
        uint32_t value;
} Call;

#define CALL(name) { .number = SYS_##name }

static const Call calls[] = {
        /* most frequent first */
        CALL(read),
        CALL(pread64),
        CALL(close),
        CALL(write),                    /* to standard error, and of events */
        CALL(writev),
        { SYS_openat, UNLESS_ANY, 2, WRITING },
#ifdef SYS_open
        { SYS_open, UNLESS_ANY, 1, WRITING },
#endif
#ifdef SYS_fstat
        CALL(fstat),
#endif
#ifdef SYS_fstat64
        CALL(fstat64),
#endif
#ifdef SYS_newfstatat
        CALL(newfstatat),
#endif
#ifdef SYS_fstatat64
        CALL(fstatat64),
#endif
#ifdef SYS_statx
        CALL(statx),
#endif
        CALL(fstatfs),
#ifdef SYS_fstatfs64
        CALL(fstatfs64),
#endif
#ifdef SYS_readlink
        CALL(readlink),
#endif
        CALL(readlinkat),
        CALL(lseek),
#ifdef SYS__llseek
        CALL(_llseek),
#endif

        CALL(finit_module),
        CALL(delete_module),

        /* the manager, and clients that it passes on */
        CALL(recvmsg),
        CALL(recvfrom),
#ifdef SYS_recv
        CALL(recv),
#endif
        CALL(sendto),
#ifdef SYS_send
        CALL(send),
#endif
        CALL(accept4),
        CALL(shutdown),
        CALL(getsockopt),
        CALL(getsockname),
#ifdef SYS_poll
        CALL(poll),
#endif
        CALL(ppoll),
#ifdef SYS_ppoll_time64
        CALL(ppoll_time64),
#endif
        { SYS_fcntl, IF_EQUAL, 1, F_GETFL },
        { SYS_fcntl, IF_EQUAL, 1, F_SETFL },
#ifdef SYS_fcntl64
        { SYS_fcntl64, IF_EQUAL, 1, F_GETFL },
        { SYS_fcntl64, IF_EQUAL, 1, F_SETFL },
#endif
        CALL(eventfd2),
        CALL(signalfd4),
        CALL(uname),

        /* memory and threads */
        CALL(brk),
#ifdef SYS_mmap
        { SYS_mmap, UNLESS_ANY, 2, PROT_EXEC },
#endif
#ifdef SYS_mmap2
        { SYS_mmap2, UNLESS_ANY, 2, PROT_EXEC },
#endif
        { SYS_mprotect, UNLESS_ANY, 2, PROT_EXEC },
        CALL(mremap),
        CALL(munmap),
        CALL(madvise),
        { SYS_clone, IF_THREAD, CLONE_FLAGS_ARGUMENT, 0 },
#ifdef SYS_clone3
        { SYS_clone3, NOT_THERE, 0, 0 }, /* its flags are in memory, which no filter sees */
#endif
        CALL(futex),
#ifdef SYS_futex_time64
        CALL(futex_time64),
#endif
        CALL(set_robust_list),
#ifdef SYS_rseq
        CALL(rseq),
#endif
        CALL(sched_yield),
        CALL(gettid),
        CALL(getpid),
        { SYS_prctl, IF_EQUAL, 0, PR_SET_NAME },
#ifdef SYS_prlimit64
        { SYS_prlimit64, IF_NULL, 2, 0 },
#endif
        CALL(getrandom),
        CALL(clock_gettime),
#ifdef SYS_clock_gettime64
        CALL(clock_gettime64),
#endif
        CALL(rt_sigprocmask),
#ifdef SYS_rt_sigreturn
        CALL(rt_sigreturn),
#endif
        { SYS_tgkill, IF_OWN_PROCESS, 0, 0 }, /* abort(3) */
        CALL(restart_syscall),
        CALL(exit),
        CALL(exit_group),
};

#define INSTRUCTIONS_MAX (16U + 10U * ARRAY_LEN(calls))

typedef struct Filter {
        struct sock_filter code[INSTRUCTIONS_MAX];
        size_t n;
} Filter;

static void add(Filter *f, struct sock_filter instruction) {
        if (f->n < INSTRUCTIONS_MAX)
                f->code[f->n++] = instruction;
}

static void load(Filter *f, size_t offset) {
        add(f, (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t) offset));
}

static void load_argument(Filter *f, unsigned n, bool high) {
        size_t offset = offsetof(struct seccomp_data, args) + n * sizeof(uint64_t);

        load(f, offset + (high == (__BYTE_ORDER == __LITTLE_ENDIAN) ? sizeof(uint32_t) : 0));
}

/* @skip_true, @skip_false: instructions. */
static void jump(Filter *f, uint16_t test, uint32_t value, uint8_t skip_true, uint8_t skip_false) {
        add(f, (struct sock_filter) BPF_JUMP(BPF_JMP | test | BPF_K, value, skip_true, skip_false));
}

static void end(Filter *f, uint32_t verdict) {
        add(f, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* What decides about a call, behind the test for its number. Without a verdict, the next rows decide. */
static void add_condition(Filter *f, const Call *c) {
        const uint32_t refused = SECCOMP_RET_ERRNO | EPERM;

        switch (c->condition) {
        case ALWAYS:
                break;
        case NOT_THERE:
                end(f, SECCOMP_RET_ERRNO | ENOSYS);
                return;
        case UNLESS_ANY:
                load_argument(f, c->argument, false);
                jump(f, BPF_JSET, c->value, 0, 1);
                end(f, refused);
                break;
        case IF_EQUAL:
        case IF_OWN_PROCESS:
                load_argument(f, c->argument, false);
                jump(f, BPF_JEQ, c->condition == IF_OWN_PROCESS ? (uint32_t) getpid() : c->value, 0, 1);
                end(f, SECCOMP_RET_ALLOW);
                load(f, offsetof(struct seccomp_data, nr));
                return;
        case IF_NULL:
                load_argument(f, c->argument, false);
                jump(f, BPF_JEQ, 0, 1, 0);
                end(f, refused);
                load_argument(f, c->argument, true);
                jump(f, BPF_JEQ, 0, 1, 0);
                end(f, refused);
                break;
        case IF_THREAD:
                load_argument(f, c->argument, false);
                jump(f, BPF_JSET, CLONE_THREAD, 1, 0);
                end(f, refused);
                jump(f, BPF_JSET, NAME_SPACES, 0, 1);
                end(f, refused);
                break;
        }
        end(f, SECCOMP_RET_ALLOW);
}

static void add_call(Filter *f, const Call *c) {
        size_t at = f->n;

        jump(f, BPF_JEQ, c->number, 0, 0);
        add_condition(f, c);
        f->code[at].jf = (uint8_t) (f->n - at - 1);
}

#ifdef NATIVE_ARCH
static void make(Filter *f) {
        load(f, offsetof(struct seccomp_data, arch));
        jump(f, BPF_JEQ, NATIVE_ARCH, 1, 0);
        end(f, SECCOMP_RET_ERRNO | EPERM);
        load(f, offsetof(struct seccomp_data, nr)); /* x32 has numbers of its own, which no row has */
        for (size_t i = 0; i < ARRAY_LEN(calls); i++)
                add_call(f, calls + i);
        end(f, SECCOMP_RET_ERRNO | EPERM);
}
#endif

/**
 * loader_filter_install() - from here on, only the calls of the table; threads inherit it
 *
 * To be called while there is one thread. No new privileges are not given up unless that is necessary, since with
 * SELinux that would decide about the domain.
 *
 * Return: 0; -EOPNOTSUPP: this kernel or architecture has no such filter; what seccomp(2) says.
 */
int loader_filter_install(void) {
#ifdef NATIVE_ARCH
        Filter f = {};
        struct sock_fprog program = { .filter = f.code };

        make(&f);
        program.len = (unsigned short) f.n;
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) >= 0)
                return 0;
        if (errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) >= 0 &&
            syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) >= 0)
                return 0;
        return errno == ENOSYS || errno == EINVAL ? -EOPNOTSUPP : -errno;
#else
        return -EOPNOTSUPP;
#endif
}
