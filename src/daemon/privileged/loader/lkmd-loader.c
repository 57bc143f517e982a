/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmd-loader: takes the socket from systemd, see lkmd-loader.socket; everything else is in loader.c. It stays in
 * memory as long as lkmd runs, so it links libc only, and has malloc(3) keep nothing that is not used.
 */

#include <malloc.h>

#include "common/base/util.h"
#include "daemon/privileged/loader/loader-filter.h"
#include "daemon/privileged/loader/loader.h"
#include "daemon/privileged/request/listen-fd.h"

#define MMAP_THRESHOLD (128 * 1024)     /* fixed, so that a large file that was read goes back to the kernel */

/* One heap for all threads. They allocate little, and a heap of its own for each would stay. */
static void keep_memory_small(void) {
        (void) mallopt(M_ARENA_MAX, 1);
        (void) mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
        (void) mallopt(M_TRIM_THRESHOLD, MMAP_THRESHOLD);
}

/* The run time of the sanitizers makes system calls of its own; test-loader-filter.c tests the filter. */
static int give_up_calls(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        return 0;
#else
        int r = loader_filter_install();

        if (r < 0)
                fprintf(stderr, "lkmd-loader: cannot give up the system calls that it does not need: %s\n",
                        strerror(-r));
        return r == -EOPNOTSUPP ? 0 : r; /* what lkmd-loader.service leaves then has to be enough */
#endif
}

static int run(void) {
        int fd, r;

        fd = listen_fd_take(/* listening= */ true);
        if (fd < 0) {
                fprintf(stderr, "lkmd-loader: started by hand; it is started by lkmd-loader.socket\n");
                return fd;
        }
        keep_memory_small();
        r = loader_prepare();
        if (r < 0)
                return r;
        r = give_up_calls();
        return r < 0 ? r : loader_run(fd);
}

int main(void) {
        int r;

        r = run();
        if (r < 0)
                fprintf(stderr, "lkmd-loader: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
