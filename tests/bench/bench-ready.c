/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * bench-ready [--json]: how long lkmd takes from its exec to its READY on this computer, without emulation
 * and without systemd: with the index of Debian's kernel of $LKMD_GUEST_ROOT, or of this machine's, once
 * with an image of that index and once without, by turns. It is left alone with a socket in the place of
 * lkmd-loader, and ended right after it was READY.
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
#include "common/index/index.h"
#include "kernel.h"

#define ROUNDS 31U
#define TIMEOUT_SEC 30
#define PATH_SIZE 5120U

typedef struct Contender {
        const char *name, *image_dir;   /* below the scratch directory */
        double goal_ms;
        double ms[ROUNDS];
} Contender;

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

static void make_image(void) {
        const Index *index = NULL;
        char path[PATH_SIZE];
        void *image = NULL;
        size_t size;
        FILE *f;
        int r;

        (void) snprintf(path, sizeof(path), "%s/images", scratch);
        make_directory(path);
        r = index_new(&index, &(IndexSources) { .root = scratch }, NULL);
        if (r >= 0)
                r = index_compose_image(index, &image, &size);
        if (r < 0)
                die("no image can be made", -r);
        (void) snprintf(path, sizeof(path), "%s/images/%s", scratch, index_get_release(index));
        f = fopen(path, "we");
        if (!f || fwrite(image, 1, size, f) != size || fclose(f) != 0)
                die(path, errno);
        free(image);
        index_unref(index);
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

static void print_results(const Contender *contenders, size_t n, bool json) {
        if (json) {
                printf("{\"bench\":\"ready\",\"contenders\":{");
                for (size_t i = 0; i < n; i++)
                        printf("%s\"%s\":{\"medianMs\":%.3f,\"minMs\":%.3f}", i > 0 ? "," : "",
                               contenders[i].name, contenders[i].ms[ROUNDS / 2], contenders[i].ms[0]);
                printf("}}\n");
                return;
        }
        printf("From exec to READY, %u rounds\n  %-14s %10s %10s %10s\n", ROUNDS, "", "median ms",
               "least ms", "goal ms");
        for (size_t i = 0; i < n; i++)
                printf("  %-14s %10.1f %10.1f %10.0f  %s\n", contenders[i].name,
                       contenders[i].ms[ROUNDS / 2], contenders[i].ms[0], contenders[i].goal_ms,
                       contenders[i].ms[ROUNDS / 2] <= contenders[i].goal_ms ? "yes" : "no");
}

int main(int argc, char *argv[]) {
        static Contender contenders[] = { { "lkmd", "images", 10, {} },
                                          { "lkmd-no-image", "none", 50, {} } };
        bool json = argc == 2 && streq(argv[1], "--json");
        char lkmd[PATH_SIZE], *slash;
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
        make_image();
        set_path(LKMD_ROOT_ENV, "");
        set_path(LKMD_SOCKET_ENV, "varlink");
        set_path(LKMD_LEDGER_ENV, "ledger");
        set_path(LKMD_AUDIT_ENV, "audit");
        set_path(LKMD_DENIED_ENV, "denied");
        notify_fd = open_socket(SOCK_DGRAM, "notify", "NOTIFY_SOCKET");
        (void) open_socket(SOCK_SEQPACKET, "loader", LKMD_LOADER_SOCKET_ENV);

        for (size_t i = 0; i <= ROUNDS; i++)
                for (size_t k = 0; k < ARRAY_LEN(contenders); k++) {
                        double ms;

                        set_path(LKMD_IMAGE_ENV, contenders[k].image_dir);
                        ms = one_round(lkmd, notify_fd);
                        if (i > 0)      /* in the first one its files come into the page cache */
                                contenders[k].ms[i - 1] = ms;
                }
        for (size_t k = 0; k < ARRAY_LEN(contenders); k++)
                qsort(contenders[k].ms, ROUNDS, sizeof(*contenders[k].ms), compare_doubles);
        print_results(contenders, ARRAY_LEN(contenders), json);
        return EXIT_SUCCESS;
}
