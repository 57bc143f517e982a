/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ListenFd: see listen-fd.h. Owns nothing. */

#include "daemon/privileged/request/listen-fd.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "common/base/number.h"
#include "common/base/util.h"

#define LISTEN_FD 3                     /* SD_LISTEN_FDS_START */

/* Is the variable exactly this number? */
static bool variable_is(const char *name, uint64_t value) {
        const char *text = getenv(name);
        uint64_t n;

        return text && number_take(&text, UINT32_MAX, &n) >= 0 && *text == '\0' && n == value;
}

static int get_option(int fd, int option) {
        socklen_t size = sizeof(int);
        int value = -1;

        return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -errno : value;
}

/**
 * listen_fd_take() - the one SOCK_SEQPACKET socket that systemd passed to this process
 * @listening: it listens, Accept=no; else it is a connection
 *
 * Return: the descriptor, closed on exec; -EINVAL: there is none, or another.
 */
int listen_fd_take(bool listening) {
        if (!variable_is("LISTEN_PID", (uint64_t) getpid()) || !variable_is("LISTEN_FDS", 1) ||
            get_option(LISTEN_FD, SO_DOMAIN) != AF_UNIX ||
            get_option(LISTEN_FD, SO_TYPE) != SOCK_SEQPACKET ||
            get_option(LISTEN_FD, SO_ACCEPTCONN) != listening)
                return -EINVAL;
        return fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0 ? -errno : LISTEN_FD;
}
