/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* insmod(8): one file into the kernel, without what it depends on. */

#include <getopt.h>
#include <stdio.h>

#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-insert.h"
#include "cli/kmod/tool-message.h"
#include "cli/kmod/tool.h"

static void print_help(void) {
        (void) fputs("Usage:\n"
                     "\tinsmod [options] filename [module options]\n"
                     "Options:\n"
                     "\t-f, --force       DANGEROUS: forces a module load, may cause\n"
                     "\t                  data corruption and crash your machine\n"
                     "\t-s, --syslog      print to syslog, not stderr\n"
                     "\t-v, --verbose     enables more messages\n"
                     "\t-V, --version     show version\n"
                     "\t-h, --help        show this help\n",
                     stdout);
}

typedef struct Options {
        unsigned flags;                 /* of libkmod */
        bool to_syslog;
        int level;                      /* of messages */
        bool answered;                  /* help or version: nothing else is to be done */
} Options;

/* Return: 0; -EINVAL, which getopt has said. */
static int take_options(int argc, char **argv, Options *o) {
        static const struct option longs[] = {
                { "force", no_argument, NULL, 'f' },   { "syslog", no_argument, NULL, 's' },
                { "verbose", no_argument, NULL, 'v' }, { "version", no_argument, NULL, 'V' },
                { "help", no_argument, NULL, 'h' },    {},
        };
        int code;

        while (!o->answered && (code = getopt_long(argc, argv, "fsvVh", longs, NULL)) >= 0)
                switch (code) {
                case 'f':
                        o->flags |= KMOD_INSERT_FORCE_MODVERSION | KMOD_INSERT_FORCE_VERMAGIC;
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
        return 0;
}

/* What the kernel's errors mean here. */
static const char *error_text(int error) {
        switch (error) {
        case -ENOEXEC:
                return "Invalid module format";
        case -ENOENT:
                return "Unknown symbol in module";
        case -ESRCH:
                return "Module has wrong symbol version";
        case -EINVAL:
                return "Invalid parameters";
        default:
                return strerror(-error);
        }
}

/* Return: a ToolStatus; negative errno, which was not said. */
static int insert(const char *file, const char *parameters, const Options *o) {
        static const char *const no_config[] = { NULL };
        _cleanup_(kmod_ctx_unrefp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        ToolStatus status;
        int r;

        if (tool_context_new(&ctx, NULL, no_config, o->level) < 0)
                return TOOL_FAILED;
        r = kmod.kmod_module_new_from_path(ctx, file, &module);
        if (r < 0) {
                tool_message(LOG_ERR, "could not load module %s: %s\n", file, strerror(-r));
                return TOOL_FAILED;
        }
        r = tool_insert_is_allowed(module, &status);
        if (r <= 0)
                return r < 0 ? r : (int) status;
        r = kmod.kmod_module_insert_module(module, o->flags, parameters);
        if (r < 0) {
                tool_message(LOG_ERR, "could not insert module %s: %s\n", file, error_text(r));
                return TOOL_FAILED;
        }
        return TOOL_DONE;
}

int tool_insmod(int argc, char **argv) {
        _cleanup_(freep) char *parameters = NULL;
        Options o = { .level = LOG_ERR };
        int r;

        if (take_options(argc, argv, &o) < 0)
                return TOOL_FAILED;
        if (o.answered)
                return TOOL_DONE;
        if (o.to_syslog)
                tool_message_to_syslog();
        if (optind >= argc) {
                tool_message(LOG_ERR, "missing filename.\n");
                return TOOL_FAILED;
        }
        if (streq(argv[optind], "-")) {
                tool_message(LOG_ERR, "this tool does not support loading from stdin!\n");
                return TOOL_FAILED;
        }
        r = tool_parameters_join(argv + optind + 1, &parameters);
        return r < 0 ? r : insert(argv[optind], parameters, &o);
}
