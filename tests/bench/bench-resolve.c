/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * bench-resolve [--json]: how long "lkmctl resolve ALIAS" takes as a whole process, without lkmd, beside
 * "modprobe -R ALIAS" on the same tree. The two take turns; the medians count. Debian's kernel of
 * $LKMD_GUEST_ROOT, or this machine's.
 */

#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/util.h"
#include "kernel.h"

#define ROUNDS 301U
#define ALIAS "usb:v0525pA4A5d0000dc00dsc00dp00ic08isc06ip50in00"

extern char **environ;

typedef struct Contender {
        const char *name;
        const char *argv[9];
        double ms[ROUNDS];
} Contender;

static _Noreturn void die(const char *what, int error) {
        fprintf(stderr, "bench-resolve: %s: %s\n", what, strerror(error));
        exit(EXIT_FAILURE);
}

static uint64_t now_ns(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

static double run(const Contender *c) {
        posix_spawn_file_actions_t actions;
        uint64_t start = now_ns();
        int status, r;
        pid_t pid;

        (void) posix_spawn_file_actions_init(&actions);
        (void) posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        r = posix_spawnp(&pid, c->argv[0], &actions, NULL, (char *const *) c->argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                die(c->argv[0], r);
        if (waitpid(pid, &status, 0) < 0)
                die("waitpid()", errno);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                die(c->argv[0], ECANCELED);
        return (double) (now_ns() - start) / 1e6;
}

static int compare_doubles(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

int main(int argc, char *argv[]) {
        static char root[KERNEL_ROOT_MAX], release[KERNEL_RELEASE_MAX], lkmctl[KERNEL_ROOT_MAX + 64];
        static Contender contenders[] = {
                { .name = "lkmctl", .argv = { lkmctl, "resolve", "--root", root, "--kernel", release, ALIAS } },
                { .name = "modprobe", .argv = { "modprobe", "-R", "-d", root, "-S", release, ALIAS } },
        };
        bool json = argc == 2 && streq(argv[1], "--json");
        char *slash;

        if (argc != 1 && !json) {
                fprintf(stderr, "usage: bench-resolve [--json]\n");
                return EXIT_FAILURE;
        }

        (void) snprintf(lkmctl, sizeof(lkmctl), "%s", argv[0]);
        slash = strstr(lkmctl, "tests/bench/");
        if (!slash)
                die("bench-resolve is not where it was built", ENOENT);
        (void) stpcpy(slash, "src/cli/lkmctl");
        if (!kernel_find(root, release))
                die("no kernel with a modules.alias.bin below LKMD_GUEST_ROOT or /", ENOENT);
        if (root[0] == '\0')
                (void) strcpy(root, "/");

        for (size_t c = 0; c < ARRAY_LEN(contenders); c++)
                (void) run(&contenders[c]);     /* its files are in the page cache then */
        for (size_t i = 0; i < ROUNDS; i++)
                for (size_t c = 0; c < ARRAY_LEN(contenders); c++)
                        contenders[c].ms[i] = run(&contenders[c]);
        for (size_t c = 0; c < ARRAY_LEN(contenders); c++)
                qsort(contenders[c].ms, ROUNDS, sizeof(double), compare_doubles);

        if (json) {
                printf("{\"bench\":\"resolve\",\"contenders\":{");
                for (size_t c = 0; c < ARRAY_LEN(contenders); c++)
                        printf("%s\"%s\":{\"medianMs\":%.3f,\"minMs\":%.3f}", c > 0 ? "," : "",
                               contenders[c].name, contenders[c].ms[ROUNDS / 2], contenders[c].ms[0]);
                printf("}}\n");
                return EXIT_SUCCESS;
        }
        printf("One alias as a whole process, %u rounds by turns\n  %-10s %10s %10s\n", ROUNDS, "", "median ms",
               "least ms");
        for (size_t c = 0; c < ARRAY_LEN(contenders); c++)
                printf("  %-10s %10.2f %10.2f\n", contenders[c].name, contenders[c].ms[ROUNDS / 2],
                       contenders[c].ms[0]);
        return EXIT_SUCCESS;
}
