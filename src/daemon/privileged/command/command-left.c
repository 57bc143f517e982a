/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CommandLeft: see command-left.h. systemd starts each lkmd-command in a control group of its own, so whatever else is
 * in it comes from the command. Owns nothing.
 */

#include "daemon/privileged/command/command-left.h"

#include <assert.h>
#include <limits.h>

#include "common/base/util.h"

#define OWN_GROUP "/lkmd-command"       /* in the path of the group; elsewhere other processes are no concern */
#define SHOWN_MAX 16U

/* The list of processes of the own group in the unified hierarchy. Return: NULL: there is none. */
static FILE *open_group(void) {
        _cleanup_(fclosep) FILE *f = fopen("/proc/self/cgroup", "re");
        char line[PATH_MAX], path[PATH_MAX + 64];

        while (f && fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = '\0';
                if (!startswith(line, "0::/") || !strstr(line, OWN_GROUP))
                        continue;
                (void) snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cgroup.procs", line + strlen("0::"));
                return fopen(path, "re");
        }
        return NULL;
}

/* To the journal. They go on; nothing waits for them. */
void command_left_report(const char *module) {
        _cleanup_(fclosep) FILE *f = open_group();
        unsigned n = 0;
        int pid;

        assert(module);

        while (f && n < SHOWN_MAX && fscanf(f, "%d", &pid) == 1)
                if (pid > 0 && pid != getpid())
                        fprintf(stderr, "%s %d", n++ == 0 ? "left behind, and not waited for: process" : ",",
                                pid);
        if (n > 0)
                fprintf(stderr, " of the command for %s\n", module);
}
