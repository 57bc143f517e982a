/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* lsmod(8): the modules in the kernel, as kmod prints them. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "cli/kmod/tool-message.h"
#include "cli/kmod/tool.h"
#include "common/base/util.h"

int tool_lsmod(int argc, char **argv) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;

        if (argc != 1) {
                (void) fprintf(stderr, "Usage: %s\n", argv[0]);
                return TOOL_FAILED;
        }
        f = fopen("/proc/modules", "re");
        if (!f) {
                tool_message(LOG_ERR, "could not get list of modules: %s\n", strerror(errno));
                return TOOL_FAILED;
        }

        (void) puts("Module                  Size  Used by");
        while (getline(&line, &size, f) > 0) {
                char name[64], users[16], holders[4096];
                uint64_t bytes;

                /* name size references holders state address: proc_modules(5) */
                if (sscanf(line, "%63s %" SCNu64 " %15s %4095s", name, &bytes, users, holders) != 4)
                        continue;
                (void) printf("%-19s %8" PRIu64 "  %s", name, bytes, users);
                if (!streq(holders, "-")) {
                        size_t n = strlen(holders);

                        if (n > 0 && holders[n - 1] == ',')
                                holders[n - 1] = '\0';
                        (void) printf(" %s", holders);
                }
                (void) putchar('\n');
        }
        return TOOL_DONE;
}
