/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What fuzz targets share. Owns the made-up clock. */

#include "support.h"

#include <sanitizer/lsan_interface.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>

#include "common/base/text.h"

#define CLOCK_BEGIN_USEC (1000ULL * 1000U * 1000U) /* since boot */
#define LEAK_CHECK_EACH 2048U          /* inputs */

static uint64_t made_up_usec;           /* 0: the kernel's clocks hold */

int clock_gettime(clockid_t clock, struct timespec *ret);

void fuzz_must_at(bool holds, const char *condition, const char *file, int line) {
        if (holds)
                return;
        (void) fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
        abort();
}

void fuzz_must_be_printable(const char *text) {
        _cleanup_(freep) char *escaped = NULL;

        if (!text)
                return;
        must(text_escape(text, &escaped) == 0);
        must(streq(escaped, text));
}

void fuzz_file_open(FuzzFile *f, const char *name) {
        f->fd = memfd_create(name, MFD_CLOEXEC);
        must(f->fd >= 0);
        (void) snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
}

void fuzz_file_write(const FuzzFile *f, const void *data, size_t size) {
        must(ftruncate(f->fd, 0) == 0 && pwrite(f->fd, data, size, 0) == (ssize_t) size);
}

char *fuzz_text(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1);

        must(text != NULL);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        return text;
}

char *fuzz_read_file(const char *path) {
        _cleanup_(fclosep) FILE *f = fopen(path, "re");
        char *text = NULL;
        size_t size = 0;

        must(f != NULL);
        if (getdelim(&text, &size, '\0', f) >= 0)
                return text;
        free(text);
        return fuzz_text(NULL, 0);
}

/* Takes the place of the C library's, for sd-event too. libFuzzer's own watch is CLOCK_REALTIME. */
int clock_gettime(clockid_t clock, struct timespec *ret) {
        if (made_up_usec == 0 || (clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME))
                return (int) syscall(SYS_clock_gettime, clock, ret);
        ret->tv_sec = (time_t) (made_up_usec / 1000000U);
        ret->tv_nsec = (long) (made_up_usec % 1000000U) * 1000;
        return 0;
}

void fuzz_clock_start(void) {
        made_up_usec = CLOCK_BEGIN_USEC;
}

void fuzz_clock_step(uint64_t usec) {
        made_up_usec += usec;
}

void fuzz_look_for_leaks_seldom(int *argc, char ***argv) {
        static char *arguments[64], flag[] = "-detect_leaks=0";
        size_t n = (size_t) *argc;

        must(n + 2 <= ARRAY_LEN(arguments));
        memcpy(arguments, *argv, n * sizeof(*arguments));
        arguments[n] = flag;
        *argv = arguments;
        (*argc)++;
}

void fuzz_look_for_leaks(void) {
        static unsigned n_inputs;

        if (++n_inputs % LEAK_CHECK_EACH == 0)
                must(__lsan_do_recoverable_leak_check() == 0);
}

void fuzz_mount_empty(const char *path) {
        static bool apart;

        if (!apart)
                must(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        apart = true;
        must(mount("lkmd-fuzz", path, "tmpfs", 0, "mode=755") == 0);
}
