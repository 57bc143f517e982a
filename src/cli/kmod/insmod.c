/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* insmod(8): one file into the kernel, without what it depends on. */

#include <getopt.h>
#include <stdio.h>

#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-insert.h"
#include "cli/kmod/tool-message.h"
#include "cli/kmod/tool-options.h"
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
static int insert(const char *file, const char *parameters, const ToolOptions *o) {
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
        r = kmod.kmod_module_insert_module(
                module, o->force ? KMOD_INSERT_FORCE_MODVERSION | KMOD_INSERT_FORCE_VERMAGIC : 0,
                parameters);
        if (r < 0) {
                tool_message(LOG_ERR, "could not insert module %s: %s\n", file, error_text(r));
                return TOOL_FAILED;
        }
        return TOOL_DONE;
}

int tool_insmod(int argc, char **argv) {
        _cleanup_(freep) char *parameters = NULL;
        ToolOptions o = TOOL_OPTIONS_DEFAULT;
        int r;

        if (tool_options_take(&o, argc, argv, print_help) < 0)
                return TOOL_FAILED;
        if (o.answered)
                return TOOL_DONE;
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
