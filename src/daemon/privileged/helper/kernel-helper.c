/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * KernelHelper: runs in a process that the kernel has started because somebody's system call needs a module. Asks
 * lkmd, waits, and exits as modprobe would. It is root's, has no standard streams, and must never make things worse
 * than modprobe: whatever goes wrong, or is not as expected, ends with modprobe being run in its place ("falls
 * open"). The exception is the administrator's: OnFailure=closed in lkmd.conf, which lkmd-handover turns into a file
 * of root's, so that nothing has to be parsed here.
 *
 * A kernel that was built with CONFIG_STATIC_USERMODEHELPER starts one program for all of its helpers, with the path
 * of the one that it means as argv[0]. This can be that program: what is in a list is run, all else is refused.
 *
 * Owns nothing beyond a call.
 */

#include "daemon/privileged/helper/kernel-helper.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/base/root-file.h"
#include "common/base/util.h"

/*
 * Until lkmd shows that it is there. Counted in turns rather than by a clock, so that lkmd has more time on a machine
 * that has none for this process either.
 */
#define REACH_TURNS 10U
#define REACH_TURN_MSEC 20

/* What kernel.modprobe may say of modprobe itself; handover-kernel.c knows the same. */
static const char *const modprobes[] = { MODPROBE_PROGRAMS };

/*
 * Programs that the kernel starts by a path of its own, or that systemd and others enter in /proc/sys: sysctl names,
 * Documentation/admin-guide/sysctl/kernel.rst, and the callers of call_usermodehelper() in the kernel's sources.
 */
static const char *const programs[] = {
        "/sbin/bridge-stp",
        "/sbin/drbdadm",
        "/sbin/hotplug",
        "/sbin/nfs_cache_getent",
        "/sbin/nfsdcltrack",
        "/sbin/poweroff",
        "/sbin/reboot",
        "/sbin/request-key",
        "/usr/lib/systemd/systemd-cgroups-agent",
        "/usr/lib/systemd/systemd-coredump",
        "/lib/systemd/systemd-cgroups-agent",
        "/lib/systemd/systemd-coredump",
};

static void at_root(char path[static PATH_MAX], const char *root, const char *name) {
        (void) snprintf(path, PATH_MAX, "%s%s", root, name);
}

/* A line in the kernel's log, since nobody reads what this process writes. @what may have any bytes. */
static void say(const char *root, const char *what, const char *why) {
        char path[PATH_MAX], line[REQUEST_NAME_MAX + 256];
        int fd, n;

        n = snprintf(line, sizeof(line), "<4>lkmd-request: %.*s: %s\n", (int) REQUEST_NAME_MAX, what, why);
        if (n >= (int) sizeof(line))
                n = (int) sizeof(line) - 1;
        for (int i = 3; i < n - 1; i++)
                if (line[i] < ' ' || line[i] > '~')
                        line[i] = '?';
        at_root(path, root, "/dev/kmsg");
        fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return;
        if (write(fd, line, (size_t) n) < 0)
                n = 0;                  /* there is nobody left to tell */
        (void) close(fd);
}

/* --------------------------------------------------------------------------------------------- arguments */

/* Is it modprobe, or this program, which is told from others by its last name? */
static bool is_modprobe(const char *program) {
        const char *last = strrchr(program, '/');

        for (size_t i = 0; i < ARRAY_LEN(modprobes); i++)
                if (streq(program, modprobes[i]))
                        return true;
        return streq(last ? last + 1 : program, "lkmd-request");
}

/**
 * kernel_helper_task() - what is to be done
 * @ret_name: HELPER_ASK: what the kernel needs, borrowed from @argv
 *
 * The kernel starts modprobe as "PATH -q -- NAME", call_modprobe() in kernel/module/kmod.c.
 */
HelperTask kernel_helper_task(int argc, char *const *argv, const char **ret_name) {
        size_t size;

        assert(argc >= 0 && argv && ret_name);

        if (argc < 1 || !argv[0] || !is_modprobe(argv[0]))
                return HELPER_OTHER;
        if (argc != 4 || !streq(argv[1], "-q") || !streq(argv[2], "--"))
                return HELPER_PASS;
        size = strlen(argv[3]);
        if (size == 0 || size > REQUEST_NAME_MAX)
                return HELPER_PASS;
        *ret_name = argv[3];
        return HELPER_ASK;
}

/* ---------------------------------------------------------------------------------------------- the answer */

/* Who made the listening socket: systemd. In a directory that only root can write, which this makes sure of. */
static bool is_roots(int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) >= 0 && size == sizeof(peer) &&
               peer.uid == 0;
}

/* Return: 0 once connected; -EAGAIN while too many others are waiting to be; negative errno. */
static int try_connect(int fd, const struct sockaddr_un *address) {
        if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) >= 0 || errno == EISCONN)
                return 0;
        return errno == EINTR ? -EAGAIN : -errno;
}

/*
 * @timeout_msec: -1: for as long as it takes
 * Return: a RequestAnswer; -EAGAIN: there is none yet; -ECONNRESET: lkmd hung up, or is not what it should be.
 */
static int receive(int fd, int timeout_msec) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        RequestReply reply = {};
        ssize_t n;

        if (poll(&p, 1, timeout_msec) <= 0)
                return -EAGAIN;
        n = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return -EAGAIN;
        if (n != (ssize_t) sizeof(reply) || reply.magic != REQUEST_MAGIC || reply.answer < REQUEST_PENDING ||
            reply.answer > REQUEST_PASS)
                return -ECONNRESET;
        return (int) reply.answer;
}

/* Return: the first answer; -ETIMEDOUT: there was none in time; negative errno. */
static int reach(int fd, const struct sockaddr_un *address, const RequestPacket *packet) {
        bool sent = false;

        for (unsigned turn = 0; turn < REACH_TURNS; turn++) {
                int r = sent ? 0 : try_connect(fd, address);

                if (r >= 0 && !sent) {
                        if (!is_roots(fd))
                                return -EPERM;
                        if (send(fd, packet, sizeof(*packet), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                                return -errno;
                        sent = true;
                }
                if (r < 0 && r != -EAGAIN)
                        return r;
                if (sent) {
                        r = receive(fd, REACH_TURN_MSEC);
                        if (r != -EAGAIN)
                                return r;
                } else
                        (void) poll(NULL, 0, REACH_TURN_MSEC);
        }
        return -ETIMEDOUT;
}

/**
 * kernel_helper_ask() - ask lkmd for a module, and wait until it is there, or is not to be
 * @name: of REQUEST_NAME_MAX bytes at most
 *
 * Waits without a limit for a load, as modprobe does, and for a fifth of a second until lkmd shows that it is there.
 *
 * Return: what lkmd answered; REQUEST_PASS also if it cannot be reached, or has gone while it was waited for.
 */
RequestAnswer kernel_helper_ask(const char *root, const char *name) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        RequestPacket packet = { .magic = REQUEST_MAGIC };
        _cleanup_(closep) int fd = -EBADF;
        int r;

        assert(root && name && strlen(name) <= REQUEST_NAME_MAX);

        if (strlen(root) + strlen(LKMD_REQUEST_SOCKET) >= sizeof(address.sun_path))
                return REQUEST_PASS;
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s" LKMD_REQUEST_SOCKET, root);
        (void) memcpy(packet.name, name, strlen(name));
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return REQUEST_PASS;

        r = reach(fd, &address, &packet);
        while (r == REQUEST_PENDING || r == -EAGAIN)
                r = receive(fd, -1);
        return r < 0 ? REQUEST_PASS : (RequestAnswer) r;
}

/* ------------------------------------------------------------------------------------------ without lkmd */

/* OnFailure=closed: without lkmd nothing is loaded. lkmd-handover makes this file. */
bool kernel_helper_is_closed(const char *root) {
        char path[PATH_MAX];
        struct stat st;

        assert(root);

        at_root(path, root, LKMD_SHUT_FILE);
        return lstat(path, &st) >= 0 && S_ISREG(st.st_mode) && st.st_uid == 0;
}

/* Run modprobe in the place of this program. Return: its exit status, if that is not possible. */
static int fall_open(const char *root, int argc, char **argv) {
        char path[PATH_MAX];

        if (kernel_helper_is_closed(root)) {
                say(root, argc > 3 ? argv[3] : "modprobe",
                    "not loaded: lkmd did not answer, and OnFailure=closed is in lkmd.conf");
                return EXIT_FAILURE;
        }
        (void) setenv(LKMD_NOT_ANSWERING_ENV, "1",
                      /* overwrite= */ 1); /* modprobe may be lkmd's, which would ask as well */
        for (size_t i = 0; i < ARRAY_LEN(modprobes); i++) {
                at_root(path, root, modprobes[i]);
                argv[0] = path;         /* modprobe is told by its name that it is modprobe */
                (void) execv(path, argv);
        }
        say(root, argc > 3 ? argv[3] : "modprobe",
            "not loaded: lkmd did not answer, and modprobe cannot be run");
        return EXIT_FAILURE;
}

/* -------------------------------------------------------------------------------------- all other helpers */

/* Is it a line of the administrator's list? */
static bool is_listed(const char *list, const char *program) {
        size_t size = strlen(program);

        while (list[0] != '\0') {
                size_t n = strcspn(list, "\n");

                if (n == size && strncmp(list, program, n) == 0)
                        return true;
                list += list[n] == '\n' ? n + 1 : n;
        }
        return false;
}

/**
 * kernel_helper_may_run() - may the kernel start this program?
 * @program: exactly as the kernel names it
 *
 * Beside those that are compiled in, the lines of a file count that only root can have written.
 */
bool kernel_helper_may_run(const char *root, const char *program) {
        _cleanup_(freep) char *list = NULL;
        char path[PATH_MAX];
        size_t size = 0;

        assert(root && program);

        for (size_t i = 0; i < ARRAY_LEN(programs); i++)
                if (streq(program, programs[i]))
                        return true;
        if (program[0] != '/')
                return false;
        at_root(path, root, USERMODE_HELPERS_FILE);
        if (root_file_read(path, USERMODE_HELPERS_MAX, &list, &size) < 0 || strlen(list) != size)
                return false;
        return is_listed(list, program);
}

static int run_other(const char *root, int argc, char **argv) {
        char path[PATH_MAX];

        if (argc < 1 || !argv[0]) {
                say(root, "a program without a name", "not run for the kernel");
                return EXIT_FAILURE;
        }
        if (!kernel_helper_may_run(root, argv[0])) {
                say(root, argv[0], "not run for the kernel: it is not in " USERMODE_HELPERS_FILE);
                return EXIT_FAILURE;
        }
        at_root(path, root, argv[0]);
        (void) execv(path, argv);
        say(root, argv[0], strerror(errno));
        return EXIT_FAILURE;
}

/**
 * kernel_helper_run() - be what the kernel has started
 * @argv: with a NULL behind its @argc entries
 *
 * Does not return if another program takes the place of this one.
 *
 * Return: the exit status.
 */
int kernel_helper_run(const char *root, int argc, char **argv) {
        const char *name = NULL;

        assert(root && argv);

        switch (kernel_helper_task(argc, argv, &name)) {
        case HELPER_ASK:
                switch (kernel_helper_ask(root, name)) {
                case REQUEST_DONE:
                        return EXIT_SUCCESS;
                case REQUEST_FAILED:
                        return EXIT_FAILURE;
                default:
                        return fall_open(root, argc, argv);
                }
        case HELPER_PASS:
                return fall_open(root, argc, argv);
        default:
                return run_other(root, argc, argv);
        }
}
