/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* lkmd-loader: takes the socket from systemd, see lkmd-loader.socket; everything else is in loader.c. */

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "common/base/util.h"
#include "daemon/privileged/loader/loader.h"

static int run(void) {
        int n;

        n = sd_listen_fds(/* unset_environment= */ true);
        if (n < 0)
                return n;
        if (n != 1 || sd_is_socket(SD_LISTEN_FDS_START, 0, SOCK_SEQPACKET, /* listening= */ 1) <= 0) {
                fprintf(stderr, "lkmd-loader: started by hand; it is started by lkmd-loader.socket\n");
                return -EINVAL;
        }

        return loader_run(SD_LISTEN_FDS_START);
}

int main(void) {
        int r;

        r = run();
        if (r < 0)
                fprintf(stderr, "lkmd-loader: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
