/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * storm EVENTS HALF DONE: writes "add" to uevent files, each in turn, until EVENTS have been written; the files come
 * by standard input, one a line. Each write makes the kernel tell everyone who listens that the device is new. HALF
 * is made when half of them are written, and DONE at the end, with the number of writes and the seconds they took.
 * ./dev bench storm copies it into the machine; it is installed nowhere.
 */

#include <fcntl.h>
#include <time.h>

#include "common/base/util.h"

#define FILES_MAX 4096U

static _Noreturn void die(const char *what, int error) {
        fprintf(stderr, "storm: %s: %s\n", what, strerror(error));
        exit(EXIT_FAILURE);
}

static double now(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* Appears under its name only when it is whole. */
static void make_file(const char *path, const char *text) {
        _cleanup_(freep) char *making = NULL;
        FILE *f;

        if (asprintf(&making, "%s.making", path) < 0)
                die(path, ENOMEM);
        f = fopen(making, "we");
        if (!f || fputs(text, f) < 0 || fclose(f) != 0 || rename(making, path) < 0)
                die(path, errno);
}

static size_t open_files(int fds[static FILES_MAX]) {
        _cleanup_(freep) char *line = NULL;
        size_t n_line = 0, n = 0;

        while (n < FILES_MAX && getline(&line, &n_line, stdin) > 0) {
                line[strcspn(line, "\n")] = '\0';
                fds[n] = open(line, O_WRONLY | O_CLOEXEC);
                if (fds[n] < 0)
                        die(line, errno);
                n++;
        }
        return n;
}

int main(int argc, char **argv) {
        unsigned long n_events = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
        int fds[FILES_MAX];
        size_t n_files;
        double began;
        char text[64];

        if (n_events == 0)
                die("usage: storm EVENTS HALF DONE", EINVAL);
        n_files = open_files(fds);
        if (n_files == 0)
                die("standard input", ENODATA);

        began = now();
        for (unsigned long i = 0; i < n_events; i++) {
                if (write(fds[i % n_files], "add", strlen("add")) < 0)
                        die("write", errno);
                if (i == n_events / 2)
                        make_file(argv[2], "");
        }
        (void) snprintf(text, sizeof(text), "%lu %.3f\n", n_events, now() - began);
        make_file(argv[3], text);
        return EXIT_SUCCESS;
}
