/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* lkmd-trail: takes one connection from systemd, see lkmd-trail.socket; everything else is in trail.c. */

#include <errno.h>
#include <libaudit.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/base/util.h"
#include "daemon/privileged/trail/trail.h"

/* A kernel without audit is none of our trouble. */
static bool is_without_audit(int error) {
        return error == EINVAL || error == EPROTONOSUPPORT || error == EAFNOSUPPORT;
}

static int run(void) {
        _cleanup_(closep) int audit_fd = -EBADF;
        int n;

        n = sd_listen_fds(/* unset_environment= */ true);
        if (n < 0)
                return n;
        if (n != 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_SEQPACKET, /* listening= */ 0) <= 0) {
                fprintf(stderr, "lkmd-trail: started by hand; it is started by lkmd-trail.socket\n");
                return -EINVAL;
        }
        audit_fd = audit_open();
        if (audit_fd < 0)
                return is_without_audit(errno) ? 0 : -errno;
        return trail_serve(SD_LISTEN_FDS_START, audit_fd);
}

int main(void) {
        int r;

        r = run();
        if (r < 0)
                fprintf(stderr, "lkmd-trail: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
