/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* lkmd-command: takes a connection from systemd, see lkmd-command.socket; everything else is in command.c. */

#include "common/base/util.h"
#include "daemon/privileged/command/command.h"
#include "daemon/privileged/request/listen-fd.h"

int main(void) {
        int fd = listen_fd_take(/* listening= */ false), r;

        if (fd < 0) {
                fprintf(stderr, "lkmd-command: started by hand; it is started by lkmd-command.socket\n");
                return EXIT_FAILURE;
        }
        r = command_serve(fd);
        if (r < 0)
                fprintf(stderr, "lkmd-command: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
