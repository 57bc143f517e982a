/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * HandoverKernel: has the kernel start lkmd-request in the place of modprobe (kernel.modprobe, sysctl(8)), and gives
 * that back. lkmd-request runs modprobe itself when lkmd cannot be reached, so there is no need to hurry, nor for
 * anything to be done while lkmd is restarted.
 *
 * Only modprobe is replaced. An empty kernel.modprobe has switched such requests off, and another program is the
 * administrator's: both are left as they are, and then lkmd is not asked. What was there before is in a file of
 * root's below /run.
 */

#include "daemon/privileged/handover/handover-kernel.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/base/paths.h"
#include "common/base/util.h"

#define PROGRAM_MAX 256U                /* KMOD_PATH_LEN, linux/kmod.h */

static const char *const modprobes[] = { MODPROBE_PROGRAMS };

static void at_root(char path[static PATH_MAX], const char *root, const char *name) {
        (void) snprintf(path, PATH_MAX, "%s%s", root, name);
}

/* Return: 0 with the first line of a file; what open(2) and read(2) said. */
static int read_program(const char *root, const char *name, char ret[static PROGRAM_MAX + 1]) {
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];
        ssize_t n;

        at_root(path, root, name);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        n = read(fd, ret, PROGRAM_MAX);
        if (n < 0)
                return -errno;
        ret[n] = '\0';
        ret[strcspn(ret, "\n")] = '\0';
        return 0;
}

/* @flags: of open(2), beside O_WRONLY */
static int write_program(const char *root, const char *name, int flags, const char *program) {
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX], line[PROGRAM_MAX + 2];
        int n = snprintf(line, sizeof(line), "%s\n", program);

        at_root(path, root, name);
        fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | flags, 0644);
        if (fd < 0)
                return -errno;
        return write(fd, line, (size_t) n) == n ? 0 : errno > 0 ? -errno : -EIO;
}

static bool is_modprobe(const char *program) {
        for (size_t i = 0; i < ARRAY_LEN(modprobes); i++)
                if (streq(program, modprobes[i]))
                        return true;
        return false;
}

static bool can_be_run(const char *root, const char *program) {
        char path[PATH_MAX];

        at_root(path, root, program);
        return access(path, X_OK) >= 0;
}

/**
 * handover_take_kernel() - have the kernel ask lkmd
 *
 * Return: 1 if it does so from now on; 0 if it did so already, or asks a program of the administrator's, or none; a
 * kernel without kernel.modprobe loads no modules for itself. -ENOEXEC: lkmd-request is missing; what the file system
 * said.
 */
int handover_take_kernel(const char *root) {
        char program[PROGRAM_MAX + 1];
        int r;

        assert(root);

        r = read_program(root, KERNEL_MODPROBE, program);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (!is_modprobe(program))
                return 0;
        if (!can_be_run(root, LKMD_REQUEST_PROGRAM))
                return -ENOEXEC;
        r = write_program(root, LKMD_MODPROBE_FILE, O_CREAT | O_TRUNC, program);
        if (r >= 0)
                r = write_program(root, KERNEL_MODPROBE, O_TRUNC, LKMD_REQUEST_PROGRAM);
        return r < 0 ? r : 1;
}

/* What was there before; without the file that says so, the first modprobe that there is. */
static void find_earlier(const char *root, char ret[static PROGRAM_MAX + 1]) {
        if (read_program(root, LKMD_MODPROBE_FILE, ret) >= 0 && is_modprobe(ret))
                return;
        for (size_t i = 0; i < ARRAY_LEN(modprobes); i++)
                if (can_be_run(root, modprobes[i])) {
                        (void) snprintf(ret, PROGRAM_MAX + 1, "%s", modprobes[i]);
                        return;
                }
        (void) snprintf(ret, PROGRAM_MAX + 1, "%s", modprobes[0]);
}

/**
 * handover_give_back_kernel() - have the kernel ask modprobe again, if it asks lkmd
 *
 * Return: 1 if it did until now; 0; what the file system said.
 */
int handover_give_back_kernel(const char *root) {
        char program[PROGRAM_MAX + 1], path[PATH_MAX];
        bool was_ours;
        int r;

        assert(root);

        r = read_program(root, KERNEL_MODPROBE, program);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        was_ours = streq(program, LKMD_REQUEST_PROGRAM);
        if (was_ours) {
                find_earlier(root, program);
                r = write_program(root, KERNEL_MODPROBE, O_TRUNC, program);
                if (r < 0)
                        return r;
        }
        at_root(path, root, LKMD_MODPROBE_FILE);
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        return was_ours;
}

/**
 * handover_check_kernel() - give it back if lkmd-request is missing, without which the kernel could load nothing
 *
 * Return: as handover_give_back_kernel().
 */
int handover_check_kernel(const char *root) {
        assert(root);

        return can_be_run(root, LKMD_REQUEST_PROGRAM) ? 0 : handover_give_back_kernel(root);
}

/**
 * handover_shut_kernel() - say whether lkmd-request may turn to modprobe
 * @closed: OnFailure=closed
 *
 * Return: 1 if that is news; 0; what the file system said.
 */
int handover_shut_kernel(const char *root, bool closed) {
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];

        assert(root);

        at_root(path, root, LKMD_SHUT_FILE);
        if (!closed)
                return unlink(path) >= 0 ? 1 : errno == ENOENT ? 0 : -errno;
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return errno == EEXIST ? 0 : -errno;
        return 1;
}
