/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <syslog.h>

/* ToolOptions: the options that insmod and rmmod have in common, which are all of theirs. */

typedef struct ToolOptions {
        bool force, to_syslog;
        int level;                      /* of messages */
        bool answered;                  /* help or version: nothing else is to be done */
} ToolOptions;

#define TOOL_OPTIONS_DEFAULT { .level = LOG_ERR }

int tool_options_take(ToolOptions *o, int argc, char **argv, void (*print_help)(void));
