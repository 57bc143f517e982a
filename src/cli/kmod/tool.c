/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tool: the table of the commands of kmod that lkmctl can be called as. Owns nothing. */

#include "cli/kmod/tool.h"

#include <stdio.h>
#include <string.h>

#include "cli/kmod/tool-message.h"
#include "common/base/util.h"

static const Tool tools[] = {
        { "insmod", tool_insmod },
        { "lsmod", tool_lsmod },
        { "modinfo", tool_modinfo },
        { "rmmod", tool_rmmod },
        { "modprobe", tool_modprobe },
};

/**
 * tool_find() - the tool that a program name stands for
 * @argv0: with or without directories; NULL: none was given
 *
 * Return: NULL if it is lkmctl itself.
 */
const Tool *tool_find(const char *argv0) {
        const char *slash, *name;

        if (!argv0)
                return NULL;
        slash = strrchr(argv0, '/');
        name = slash ? slash + 1 : argv0;
        for (size_t i = 0; i < ARRAY_LEN(tools); i++)
                if (streq(tools[i].name, name))
                        return tools + i;
        return NULL;
}

/**
 * tool_run() - be that command
 *
 * Return: exit status.
 */
int tool_run(const Tool *tool, int argc, char **argv) {
        int r;

        tool_message_begin(tool->name);
        r = tool->run(argc, argv);
        if (r < 0) {
                tool_message(LOG_ERR, "%s\n", strerror(-r));
                r = TOOL_FAILED;
        }
        if (fflush(stdout) < 0 && r == TOOL_DONE) {
                tool_message(LOG_ERR, "cannot write the answer: %s\n", strerror(errno));
                r = TOOL_FAILED;
        }
        return r;
}
