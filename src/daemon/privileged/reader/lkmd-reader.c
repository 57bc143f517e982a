/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* lkmd-reader: takes one connection from systemd, see lkmd-reader.socket; everything else is in reader.c. */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/base/util.h"
#include "daemon/privileged/reader/reader.h"

static int run(void) {
        int n;

        n = sd_listen_fds(/* unset_environment= */ true);
        if (n < 0)
                return n;
        if (n != 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_SEQPACKET, /* listening= */ 0) <= 0) {
                fprintf(stderr, "lkmd-reader: started by hand; it is started by lkmd-reader.socket\n");
                return -EINVAL;
        }
        return reader_serve(SD_LISTEN_FDS_START);
}

int main(void) {
        int r;

        r = run();
        if (r < 0)
                fprintf(stderr, "lkmd-reader: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
