/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ToolOptions: takes -f, -s, -v, -V and -h apart. Owns nothing. */

#include "cli/kmod/tool-options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>

#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-message.h"

/**
 * tool_options_take() - sort a command line; optind(3) is where its words begin
 *
 * With -s, messages go to syslog from now on.
 *
 * Return: 0; -EINVAL, which getopt has said.
 */
int tool_options_take(ToolOptions *o, int argc, char **argv, void (*print_help)(void)) {
        static const struct option longs[] = {
                { "force", no_argument, NULL, 'f' },   { "syslog", no_argument, NULL, 's' },
                { "verbose", no_argument, NULL, 'v' }, { "version", no_argument, NULL, 'V' },
                { "help", no_argument, NULL, 'h' },    {},
        };
        int code;

        assert(o && argv && print_help);

        while (!o->answered && (code = getopt_long(argc, argv, "fsvVh", longs, NULL)) >= 0)
                switch (code) {
                case 'f':
                        o->force = true;
                        break;
                case 's':
                        o->to_syslog = true;
                        break;
                case 'v':
                        o->level++;
                        break;
                case 'h':
                        print_help();
                        o->answered = true;
                        break;
                case 'V':
                        tool_print_version();
                        o->answered = true;
                        break;
                default:
                        return -EINVAL;
                }
        if (o->to_syslog && !o->answered)
                tool_message_to_syslog();
        return 0;
}
