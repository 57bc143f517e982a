/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * GateProof: attaching succeeds on kernels that never call what was attached. So each program is asked to refuse
 * something to this process alone, which then does that: the call has to fail as it does when it is refused, the
 * program has to have counted it, and what lies behind the hook must not have been reached.
 */

#include "daemon/privileged/gate/gate-proof.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/base/util.h"
#include "daemon/privileged/gate/gate-layout.h"

/* The kernel asks for a module of this name: there is no such interface, dev_load() in net/core/dev_ioctl.c. */
#define NO_INTERFACE "lkmd-gate-proof"
#define NO_MODULE_SIZE 256U             /* larger than the header of an ELF file, which is looked at first */

_Static_assert(sizeof(NO_INTERFACE) <= IFNAMSIZ, "as the name of an interface");

/* Each returns the errno of what it did, 0 for success. */

static int ask_for_a_module(void) {
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_name = NO_INTERFACE };

        if (fd < 0)
                return errno;
        return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? errno : 0;
}

static int make_a_socket(void) {
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        return fd < 0 ? errno : 0;
}

/* This program is no module: past the hook, it would be ENOEXEC. */
static int pass_a_file(void) {
        _cleanup_(closep) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return errno;
        return syscall(SYS_finit_module, fd, "", 0) < 0 ? errno : 0;
}

/* Likewise. */
static int pass_memory(void) {
        char nothing[NO_MODULE_SIZE] = {};

        return syscall(SYS_init_module, nothing, sizeof(nothing), "") < 0 ? errno : 0;
}

static const struct {
        __u32 hook;
        const char *name;
        int (*act)(void);
        int error;                      /* when it is refused */
} proofs[] = {
        /* Whether the request was refused or there is no module of that name makes no difference to who asked. */
        { GATE_PROOF_REQUEST, "security_kernel_module_request", ask_for_a_module, ENODEV },
        { GATE_PROOF_SOCKET, "security_socket_create", make_a_socket, EPERM },
        { GATE_PROOF_FILE, "security_kernel_read_file", pass_a_file, EPERM },
        { GATE_PROOF_DATA, "security_kernel_load_data", pass_memory, EPERM },
};

static int ask_to_refuse(int proof_fd, __u32 hook) {
        GateProof p = { .tgid = hook != 0 ? (__u32) getpid() : 0, .hooks = hook };

        return bpf_map_update_elem(proof_fd, &(__u32) { 0 }, &p, BPF_ANY) < 0 ? -errno : 0;
}

/**
 * gate_prove() - see whether the attached programs act
 * @proof_fd: their map of GateProof, which only this process knows; afterwards nothing in it is refused
 * @ret_hook: the kernel's function at which nothing happened, for -ENOTSUP; static
 *
 * Return: 0; -ENOTSUP; why the map cannot be written or read.
 */
int gate_prove(int proof_fd, const char **ret_hook) {
        int r = 0;

        assert(proof_fd >= 0 && ret_hook);

        for (size_t i = 0; i < ARRAY_LEN(proofs) && r >= 0; i++) {
                GateProof p;
                int error;

                r = ask_to_refuse(proof_fd, proofs[i].hook);
                if (r < 0)
                        break;
                error = proofs[i].act();
                if (bpf_map_lookup_elem(proof_fd, &(__u32) { 0 }, &p) < 0)
                        r = -errno;
                else if (error != proofs[i].error || p.hits == 0 || p.passed > 0) {
                        *ret_hook = proofs[i].name;
                        r = -ENOTSUP;
                }
        }
        (void) ask_to_refuse(proof_fd, 0);
        return r;
}
