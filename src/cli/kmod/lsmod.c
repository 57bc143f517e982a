/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lsmod(8): the modules in the kernel, as kmod prints them. The numbers are those of the one file that has them all,
 * where kmod opens three files for each module; so libkmod is not needed.
 */

#include <getopt.h>
#include <limits.h>
#include <stdio.h>

#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-message.h"
#include "cli/kmod/tool.h"
#include "common/base/util.h"

#define MODULES_FILE "/proc/modules"

static void print_help(void) {
        (void) fputs("Usage:\n"
                     "\tlsmod [options]\n"
                     "Options:\n"
                     "\t-s, --syslog      print to syslog, not stderr\n"
                     "\t-v, --verbose     enables more messages\n"
                     "\t-V, --version     show version\n"
                     "\t-h, --help        show this help\n",
                     stdout);
}

/* As kmod lists them, in the order of the directory. Return: false: there is no such directory. */
static bool print_holders(const char *name) {
        _cleanup_(closedirp) DIR *directory = NULL;
        char path[PATH_MAX], separator = ' ';
        struct dirent *entry;

        (void) snprintf(path, sizeof(path), "/sys/module/%s/holders", name);
        directory = opendir(path);
        if (!directory)
                return false;
        while ((entry = readdir(directory))) {
                if (entry->d_name[0] == '.')
                        continue;
                (void) putchar(separator);
                (void) fputs(entry->d_name, stdout);
                separator = ',';
        }
        return true;
}

/* "NAME SIZE REFERENCES HOLDER,.. STATE ADDRESS", proc_modules(5); a kernel that removes no modules says "- -". */
static void print_line(char *line) {
        char *rest = NULL;
        const char *name = strtok_r(line, " ", &rest);
        const char *size = strtok_r(NULL, " ", &rest);
        const char *references = strtok_r(NULL, " ", &rest);
        char *holders = strtok_r(NULL, " \n", &rest);
        size_t n;

        if (!holders)
                return;
        (void) printf("%-19s %8s  %s", name, size, streq(references, "-") ? "-2" : references);
        n = strlen(holders);
        if (!streq(holders, "-") && !print_holders(name)) {
                if (n > 0 && holders[n - 1] == ',')
                        holders[n - 1] = '\0';
                (void) printf(" %s", holders);
        }
        (void) putchar('\n');
}

static ToolStatus print_modules(void) {
        _cleanup_(fclosep) FILE *f = NULL;
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;

        f = fopen(MODULES_FILE, "re");
        if (!f) {
                tool_message(LOG_ERR, "could not open " MODULES_FILE ": %s\n", strerror(errno));
                tool_message(LOG_ERR, "could not get list of modules: %s\n", strerror(errno));
                return TOOL_FAILED;
        }
        (void) puts("Module                  Size  Used by");
        while (getline(&line, &size, f) > 0)
                print_line(line);
        return TOOL_DONE;
}

int tool_lsmod(int argc, char **argv) {
        static const struct option longs[] = {
                { "syslog", no_argument, NULL, 's' },
                { "verbose", no_argument, NULL, 'v' },
                { "version", no_argument, NULL, 'V' },
                { "help", no_argument, NULL, 'h' },
                {},
        };
        bool to_syslog = false;
        int code;

        while ((code = getopt_long(argc, argv, "svVh", longs, NULL)) >= 0)
                switch (code) {
                case 's':
                        to_syslog = true;
                        break;
                case 'v':
                        break;          /* there is nothing more to tell */
                case 'h':
                        print_help();
                        return TOOL_DONE;
                case 'V':
                        tool_print_version();
                        return TOOL_DONE;
                default:
                        return TOOL_FAILED;
                }
        if (to_syslog)
                tool_message_to_syslog();
        if (optind < argc) {
                tool_message(LOG_ERR, "too many arguments provided.\n");
                return TOOL_FAILED;
        }
        return print_modules();
}
