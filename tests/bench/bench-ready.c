/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * bench-ready [--json]: how long lkmd takes from its exec to its READY on this computer, without emulation and
 * without systemd: with the index of Debian's kernel of $LKMD_GUEST_ROOT, or of this machine's. It is left alone
 * with a socket in the place of lkmd-loader, and ended right after it was READY.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/paths.h"
#include "common/base/util.h"
#include "kernel.h"

#define ROUNDS 31U
#define GOAL_MS 50.0
#define TIMEOUT_SEC 30
#define PATH_SIZE 5120U

extern char **environ;

static char scratch[] = "/tmp/bench-ready-XXXXXX";

static void remove_scratch(void) {
        char command[64];

        (void) snprintf(command, sizeof(command), "rm -rf %s", scratch);
        (void) !system(command);
}

static _Noreturn void die(const char *what, int error) {
        fprintf(stderr, "bench-ready: %s: %s\n", what, strerror(error));
        exit(EXIT_FAILURE);
}

static double now_ms(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static void make_directory(const char *path) {
        if (mkdir(path, 0755) < 0)
                die(path, errno);
}

/* The index of that kernel, under the name of the one that runs here: lkmd looks for no other. */
static void make_root(void) {
        char root[KERNEL_ROOT_MAX], release[KERNEL_RELEASE_MAX], path[PATH_SIZE], target[PATH_SIZE];
        struct utsname here;

        if (!kernel_find(root, release))
                die("no kernel with a modules.alias.bin below LKMD_GUEST_ROOT or /", ENOENT);
        if (!mkdtemp(scratch))
                die(scratch, errno);
        (void) atexit(remove_scratch);
        (void) uname(&here);
        (void) snprintf(path, sizeof(path), "%s/lib", scratch);
        make_directory(path);
        (void) snprintf(path, sizeof(path), "%s/lib/modules", scratch);
        make_directory(path);
        (void) snprintf(path, sizeof(path), "%s/lib/modules/%s", scratch, here.release);
        (void) snprintf(target, sizeof(target), "%s/lib/modules/%s", root, release);
        if (symlink(target, path) < 0)
                die(path, errno);
}

static int open_socket(int type, const char *name, const char *variable) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct timeval patience = { .tv_sec = TIMEOUT_SEC };
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", scratch, name);
        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                die(address.sun_path, errno);
        if (type == SOCK_SEQPACKET && listen(fd, 8) < 0)
                die(address.sun_path, errno);
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        (void) setenv(variable, address.sun_path, /* overwrite= */ 1);
        return fd;
}

static void set_path(const char *variable, const char *name) {
        char path[PATH_SIZE];

        (void) snprintf(path, sizeof(path), "%s%s%s", scratch, *name ? "/" : "", name);
        (void) setenv(variable, path, /* overwrite= */ 1);
}

static double one_round(const char *lkmd, int notify_fd) {
        const char *argv[] = { lkmd, NULL };
        posix_spawn_file_actions_t actions;
        double start = now_ms(), ready = 0;
        int r, status;
        pid_t pid;

        (void) posix_spawn_file_actions_init(&actions);
        (void) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        r = posix_spawn(&pid, lkmd, &actions, NULL, (char *const *) argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                die(lkmd, r);

        while (ready == 0) {
                char text[4096];
                ssize_t n = recv(notify_fd, text, sizeof(text) - 1, 0);

                if (n < 0) {
                        (void) kill(pid, SIGKILL);
                        die("lkmd does not get ready", errno);
                }
                text[n] = '\0';
                if (strstr(text, "READY=1"))
                        ready = now_ms();
        }
        (void) kill(pid, SIGKILL); /* what it would do next is of no interest */
        if (waitpid(pid, &status, 0) < 0)
                die("waitpid()", errno);
        while (recv(notify_fd, &status, sizeof(status), MSG_DONTWAIT) >= 0)
                ;
        return ready - start;
}

static int compare_doubles(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

int main(int argc, char *argv[]) {
        bool json = argc == 2 && streq(argv[1], "--json");
        char lkmd[PATH_SIZE], *slash;
        double ms[ROUNDS];
        int notify_fd;

        if (argc != 1 && !json) {
                fprintf(stderr, "usage: bench-ready [--json]\n");
                return EXIT_FAILURE;
        }
        (void) snprintf(lkmd, sizeof(lkmd), "%s", argv[0]);
        slash = strstr(lkmd, "tests/bench/");
        if (!slash)
                die("bench-ready is not where it was built", ENOENT);
        (void) stpcpy(slash, "src/daemon/lkmd");

        make_root();
        set_path(LKMD_ROOT_ENV, "");
        set_path(LKMD_SOCKET_ENV, "varlink");
        set_path(LKMD_LEDGER_ENV, "ledger");
        set_path(LKMD_AUDIT_ENV, "audit");
        set_path(LKMD_DENIED_ENV, "denied");
        notify_fd = open_socket(SOCK_DGRAM, "notify", "NOTIFY_SOCKET");
        (void) open_socket(SOCK_SEQPACKET, "loader", LKMD_LOADER_SOCKET_ENV);

        (void) one_round(lkmd, notify_fd); /* its files are in the page cache then */
        for (size_t i = 0; i < ROUNDS; i++)
                ms[i] = one_round(lkmd, notify_fd);
        qsort(ms, ROUNDS, sizeof(*ms), compare_doubles);

        if (json)
                printf("{\"bench\":\"ready\",\"contenders\":{\"lkmd\":{\"medianMs\":%.3f,\"minMs\":%.3f}}}\n",
                       ms[ROUNDS / 2], ms[0]);
        else
                printf("From exec to READY, %u rounds\n  %-10s %10s %10s\n  %-10s %10.1f %10.1f\n\n"
                       "goal: %.0f ms at most: %s\n",
                       ROUNDS, "", "median ms", "least ms", "lkmd", ms[ROUNDS / 2], ms[0], GOAL_MS,
                       ms[ROUNDS / 2] <= GOAL_MS ? "yes" : "no");
        return EXIT_SUCCESS;
}
