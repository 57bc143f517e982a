/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* lkmd: takes the file descriptors from systemd, see lkmd.service, and runs the manager. */

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>

#include "common/base/paths.h"
#include "daemon/base/log.h"
#include "daemon/manager.h"
#include "daemon/privileged/gate/gate-layout.h"

static inline void string_arrayp(char ***strings) {
        for (char **s = *strings; s && *s; s++)
                free(*s);
        free(*strings);
}

/* Return: where the descriptor of that name belongs, or NULL. */
static int *find_gate_fd(const char *name, int gate_fds[static _GATE_MAP_MAX]) {
        static const char *const names[_GATE_MAP_MAX] = GATE_MAP_NAMES;

        for (size_t i = 0; i < _GATE_MAP_MAX && startswith(name, LKMD_FD_GATE); i++)
                if (streq(name + strlen(LKMD_FD_GATE), names[i]))
                        return gate_fds[i] < 0 ? gate_fds + i : NULL;
        return NULL;
}

static int take_fds(ManagerOptions *options, int gate_fds[static _GATE_MAP_MAX]) {
        _cleanup_(string_arrayp) char **names = NULL;
        int n;

        n = sd_listen_fds_with_names(/* unset_environment= */ true, &names);
        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i, *gate_fd = find_gate_fd(names[i], gate_fds);

                if (streq(names[i], LKMD_FD_VARLINK) && options->varlink_fd < 0)
                        options->varlink_fd = fd;
                else if (streq(names[i], LKMD_FD_BROKER) && options->broker_fd < 0)
                        options->broker_fd = fd;
                else if (streq(names[i], LKMD_FD_KMSG) && options->kmsg_fd < 0)
                        options->kmsg_fd = fd;
                else if (streq(names[i], LKMD_FD_IN_CHARGE) && options->in_charge_fd < 0)
                        options->in_charge_fd = fd;
                else if (streq(names[i], LKMD_FD_REQUEST) && options->request_fd < 0)
                        options->request_fd = fd;
                else if (gate_fd)
                        *gate_fd = fd;
                else
                        (void) close(fd);
        }
        return n < 0 ? n : 0;
}

static bool exists(const char *file) {
        return access(file, F_OK) >= 0;
}

/* The root file system has lists of its own, whatever has become of those of the initramfs. */
static const char *boot_list_file(void) {
        return exists(INITRD_RELEASE_FILE) ? LKMD_INITRD_BOOT_LIST_FILE : LKMD_BOOT_LIST_FILE;
}

/* Is this the first lkmd of the root file system, after one in the initramfs? It has not written its own lists yet. */
static bool follows_initramfs(void) {
        return !exists(INITRD_RELEASE_FILE) && exists(LKMD_INITRD_BOOT_LIST_FILE) &&
               !exists(LKMD_BOOT_LIST_FILE);
}

static int run(void) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int gate_fds[_GATE_MAP_MAX];
        ManagerOptions options = {
                .varlink_fd = -EBADF,
                .broker_fd = -EBADF,
                .kmsg_fd = -EBADF,
                .in_charge_fd = -EBADF,
                .request_fd = -EBADF,
                .gate_fds = gate_fds,
                .gate_off_file = LKMD_GATE_OFF_FILE,
                .varlink_address = secure_getenv(LKMD_SOCKET_ENV) ?: LKMD_SOCKET,
                .broker_address = secure_getenv(LKMD_BROKER_SOCKET_ENV),
                .broker_container = secure_getenv(LKMD_BROKER_CONTAINER_ENV),
                .loader_address = secure_getenv(LKMD_LOADER_SOCKET_ENV) ?: LKMD_LOADER_SOCKET,
                .command_address = secure_getenv(LKMD_COMMAND_SOCKET_ENV) ?: LKMD_COMMAND_SOCKET,
                .trail_address = secure_getenv(LKMD_TRAIL_SOCKET_ENV) ?: LKMD_TRAIL_SOCKET,
                .loader_program = secure_getenv(LKMD_LOADER_SOCKET_ENV) ? NULL : LKMD_LOADER_PROGRAM,
                .reader_address = secure_getenv(LKMD_READER_SOCKET_ENV) ?: LKMD_READER_SOCKET,
                .ledger_file = secure_getenv(LKMD_LEDGER_ENV) ?: LKMD_LEDGER_FILE,
                .audit_file = secure_getenv(LKMD_AUDIT_ENV) ?: LKMD_AUDIT_FILE,
                .boot_list_file = secure_getenv(LKMD_BOOT_LIST_ENV) ?: boot_list_file(),
                .follows_initramfs = follows_initramfs(),
                .denied_file = secure_getenv(LKMD_DENIED_ENV) ?: LKMD_DENIED_FILE,
                .image_dir = secure_getenv(LKMD_IMAGE_ENV) ?: LKMD_IMAGE_DIR,
                .policy_root = secure_getenv(LKMD_POLICY_ROOT_ENV),
                .root = secure_getenv(LKMD_ROOT_ENV),
        };
        int r;

        /* The heap is a few MiB, which huge pages would double for nothing. */
        (void) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
        for (size_t i = 0; i < _GATE_MAP_MAX; i++)
                gate_fds[i] = -EBADF;
        r = take_fds(&options, gate_fds);
        if (r < 0)
                return r;
        r = manager_new(&m, &options);
        if (r < 0)
                return r;
        return manager_run(m);
}

/* The existing file is a socket of systemd's that nobody listens on: lkmd itself cannot make one in /run/lkmd. */
static void report_failure(int error) {
        if (error == -EADDRINUSE)
                log_error("systemd passed no socket, and " LKMD_SOCKET " exists already. Try: systemctl restart lkmd.socket lkmd");
        else
                log_error("%s", strerror(-error));
}

static int usage(const char *argument) {
        if (streq(argument, "--version")) {
                puts("lkmd " LKMD_VERSION);
                return EXIT_SUCCESS;
        }
        if (streq(argument, "--help")) {
                puts("lkmd decides which modules enter the kernel. It takes no arguments and is started by "
                     "systemd:\n"
                     "systemctl start lkmd. Talk to it with lkmctl(1); settings are in lkmd.conf(5).");
                return EXIT_SUCCESS;
        }
        fprintf(stderr, "lkmd: takes no arguments but --help and --version; settings are in lkmd.conf(5)\n");
        return 2;
}

int main(int argc, char **argv) {
        int r;

        if (argc > 1)
                return usage(argv[1]);

        r = run();
        if (r < 0)
                report_failure(r);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
