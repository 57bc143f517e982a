/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as what a client sends: the service takes them without a crash, answers what it answers, and
 * forgets the client when it is gone. The manager is a whole one on an empty machine: no modules, no device
 * is walked to, and the loader's address leads nowhere.
 */

#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include "daemon/log.h"
#include "daemon/manager.h"

#define TURNS_MAX 10000U                /* of the loop for one input; a few for each message */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Manager *manager;
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static void check(int holds, const char *what) {
        if (holds)
                return;
        perror(what);
        abort();
}

static void free_manager(void) {
        manager = manager_free(manager);
        (void) unlink(address.sun_path);
}

static void make_manager(void) {
        int r;

        snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/fuzz-varlink-%d", (int) getpid());
        (void) unlink(address.sun_path);
        r = manager_new(&manager, &(ManagerOptions) {
                                          .varlink_fd = -EBADF,
                                          .varlink_address = address.sun_path,
                                          .kmsg_fd = -EBADF,
                                          .in_charge_fd = -EBADF,
                                          .loader_address = "/nonexistent/loader",
                                          .root = "/nonexistent",
                                  });
        check(r >= 0 && atexit(free_manager) == 0, "manager_new");
}

/* Until nothing is ready: all answers are out, unless one has to wait for something. */
static void settle(void) {
        int r = 1;

        for (unsigned turns = 0; r > 0; turns++) {
                check(turns < TURNS_MAX, "the loop does not come to rest");
                r = sd_event_run(manager->event, 0);
        }
        check(r == 0, "sd_event_run");
}

/* What the service says is of no interest, but it must not get stuck on it. */
static void read_all(int fd) {
        static char buffer[65536];

        while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
                ;
}

/*
 * Before libFuzzer's own thread: the manager gives up its capabilities, and LeakSanitizer has to stop all
 * threads.
 */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
        make_manager();
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        int fd;

        log_set_level(LOG_EMERG);       /* a Reload puts it back */

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        check(fd >= 0 && connect(fd, (const struct sockaddr *) &address, sizeof(address)) == 0, "connect");
        for (size_t sent = 0; sent < size;) {
                ssize_t n = send(fd, data + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno != EAGAIN)
                        break;          /* it has hung up already */
                if (n > 0)
                        sent += (size_t) n;
                settle();
                read_all(fd);
        }
        settle();

        /* whatever it left behind goes with it */
        (void) close(fd);
        settle();
        check(monitors_is_empty(manager->monitors), "a monitor is left");
        check(scheduler_is_idle(manager->scheduler), "a job is left");
        return 0;
}
