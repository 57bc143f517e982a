/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* rmmod(8): modules out of the kernel, each alone: no dependencies, no remove commands. */

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-varlink.h>

#include "cli/kmod/tool-ask.h"
#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-message.h"
#include "cli/kmod/tool-options.h"
#include "cli/kmod/tool.h"
#include "common/interface/interface.h"

static void print_help(void) {
        (void) fputs("Usage:\n"
                     "\trmmod [options] [list of modulenames]\n"
                     "Options:\n"
                     "\t-f, --force       DANGEROUS: forces a module unload and may\n"
                     "\t                  crash your machine\n"
                     "\t-s, --syslog      print to syslog, not stderr\n"
                     "\t-v, --verbose     enables more messages\n"
                     "\t-V, --version     show version\n"
                     "\t-h, --help        show this help\n",
                     stdout);
}

/* "Module X is in use by: a b", as one message. */
static int report_holders(const char *name, struct kmod_list *holders) {
        _cleanup_(freep) char *list = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&list, &size);
        if (!f)
                return -ENOMEM;
        for (struct kmod_list *l = holders; l; l = kmod.kmod_list_next(holders, l)) {
                _cleanup_(kmod_module_unrefp) struct kmod_module *holder = kmod.kmod_module_get_module(l);

                (void) fprintf(f, " %s", kmod.kmod_module_get_name(holder));
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        tool_message(LOG_ERR, "Module %s is in use by:%s\n", name, list);
        return -EBUSY;
}

/* Could it go? Return: 0; negative errno, after saying why not. */
static int check_use(struct kmod_module *module) {
        _cleanup_(kmod_module_list_unrefp) struct kmod_list *holders = NULL;
        const char *name = kmod.kmod_module_get_name(module);
        int state = kmod.kmod_module_get_initstate(module), references;

        if (state == KMOD_MODULE_BUILTIN) {
                tool_message(LOG_ERR, "Module %s is builtin.\n", name);
                return -ENOENT;
        }
        if (state < 0) {
                tool_message(LOG_ERR, "Module %s is not currently loaded\n", name);
                return -ENOENT;
        }
        holders = kmod.kmod_module_get_holders(module);
        if (holders)
                return report_holders(name, holders);
        references = kmod.kmod_module_get_refcnt(module);
        if (references > 0) {
                tool_message(LOG_ERR, "Module %s is in use\n", name);
                return -EBUSY;
        }
        if (references == -ENOENT)
                tool_message(LOG_ERR, "Module unloading is not supported\n");
        return MIN(references, 0);
}

/* A file is meant by its name, whether it is a module or not. Return: as of libkmod. */
static int find_module(struct kmod_ctx *ctx, const char *argument, struct kmod_module **ret) {
        struct stat st;

        return stat(argument, &st) >= 0 ? kmod.kmod_module_new_from_path(ctx, argument, ret)
                                        : kmod.kmod_module_new_from_name(ctx, argument, ret);
}

/*
 * Have lkmd remove it, which then knows who asked for it.
 * Return: 1: it is done; 0: lkmd cannot, or does not run; negative errno, after saying why not.
 */
static int ask_lkmd(const char *argument, const char *name, bool force) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
        _cleanup_(tool_answer_clear) ToolAnswer answer = {};
        int r;

        if (!tool_ask_is_possible())
                return 0;
        r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", name),
                           SD_JSON_BUILD_PAIR_BOOLEAN("alone", true),
                           SD_JSON_BUILD_PAIR_BOOLEAN("ignoreNeeds", true),
                           SD_JSON_BUILD_PAIR_CONDITION(force, "force", SD_JSON_BUILD_BOOLEAN(true)));
        if (r >= 0)
                r = tool_ask("Unload", parameters, &answer);
        if (r == -ENOTCONN)
                return 0;
        if (r >= 0 && tool_answer_is(&answer, NULL))
                return 1;
        if (r >= 0 && force && tool_answer_is(&answer, LKMD_ERROR_IN_USE))
                return 0;               /* the kernel has the last word on force */
        if (r >= 0 && tool_answer_is(&answer, SD_VARLINK_ERROR_PERMISSION_DENIED))
                return 0;               /* and says it as kmod does */
        tool_message(LOG_ERR, "could not remove module %s: %s\n", argument,
                     r < 0 ? strerror(-r) : tool_answer_sentence(&answer));
        return r < 0 ? r : tool_answer_errno(&answer);
}

/* Return: 0; negative errno, after saying why. */
static int remove_module(const char *argument, struct kmod_module *module, bool force) {
        int r;

        if (!force) {
                r = check_use(module);
                if (r < 0)
                        return r;
        }
        r = ask_lkmd(argument, kmod.kmod_module_get_name(module), force);
        if (r != 0)
                return MIN(r, 0);
        r = kmod.kmod_module_remove_module(module, force ? KMOD_REMOVE_FORCE : 0);
        if (r < 0)
                tool_message(LOG_ERR, "could not remove module %s: %s\n", argument, strerror(-r));
        return r;
}

/* All are tried, up to one that cannot be the name of a module. */
int tool_rmmod(int argc, char **argv) {
        static const char *const no_config[] = { NULL };
        _cleanup_(kmod_ctx_unrefp) struct kmod_ctx *ctx = NULL;
        ToolOptions o = TOOL_OPTIONS_DEFAULT;
        int r, worst = TOOL_DONE;

        if (tool_options_take(&o, argc, argv, print_help) < 0)
                return TOOL_FAILED;
        if (o.answered)
                return TOOL_DONE;
        if (optind >= argc) {
                tool_message(LOG_ERR, "missing module name.\n");
                return TOOL_FAILED;
        }
        if (tool_context_new(&ctx, NULL, no_config, o.level) < 0)
                return TOOL_FAILED;

        for (; optind < argc; optind++) {
                _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;

                r = find_module(ctx, argv[optind], &module);
                if (r < 0) {
                        tool_message(LOG_ERR, "could not use module %s: %s\n", argv[optind], strerror(-r));
                        return TOOL_FAILED;
                }
                if (remove_module(argv[optind], module, o.force) < 0)
                        worst = TOOL_FAILED;
        }
        return worst;
}
