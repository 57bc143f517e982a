/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CommandLine: finds the command of a module with libkmod, as modprobe would. The manager names the module; it cannot
 * bring a command. Owns nothing.
 */

#include "daemon/privileged/command/command-line.h"

#include <assert.h>
#include <syslog.h>

#include "common/base/util.h"
#include "daemon/privileged/command/command-kmod.h"
#include "daemon/privileged/request/loader-words.h"

#define VARIABLE "$CMDLINE_OPTS"        /* modprobe.d(5) */

/* Replaces each "$CMDLINE_OPTS" with @options, modprobe.d(5). Return: NULL without memory. */
char *command_line_expand(const char *command, const char *options) {
        _cleanup_(freep) char *out = NULL;
        size_t n_out = 0;
        FILE *f;

        assert(command && options);

        f = open_memstream(&out, &n_out);
        if (!f)
                return NULL;

        for (const char *p = command; *p;) {
                if (startswith(p, VARIABLE)) {
                        (void) fputs(options, f);
                        p += strlen(VARIABLE);
                } else
                        (void) fputc(*p++, f);
        }

        if (fclose(f) != 0)
                return NULL;
        return STEAL_PTR(out);
}

/* Return: 0 with the command, which lives as long as @ctx and @module. */
static int find_command(const LoaderRequest *request, struct kmod_ctx **ctx, struct kmod_module **module,
                        const char **ret) {
        int r;

        errno = 0;
        *ctx = kmod_new(NULL, NULL);
        if (!*ctx)
                return errno > 0 ? -errno : -ENOMEM;
        kmod_set_log_priority(*ctx, LOG_CRIT);
        r = kmod_module_new_from_name(*ctx, request->module, module);
        if (r < 0)
                return r;
        *ret = request->op == LOADER_INSTALL_COMMAND ? kmod_module_get_install_commands(*module)
                                                     : kmod_module_get_remove_commands(*module);
        return *ret ? 0 : -ENOENT;      /* the line was removed since the plan was made */
}

/**
 * command_line_find() - what modprobe would have the shell run
 * @request: its words were checked; they replace $CMDLINE_OPTS
 *
 * Return: 0; -EPERM with a refusal: the words must not get into it; -ENOENT: there is no such line; -ENOMEM; what
 * libkmod says.
 */
int command_line_find(const LoaderRequest *request, char **ret, LoaderRefusal *ret_refusal) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        const char *command = NULL;
        int r;

        assert(request && ret && ret_refusal);

        r = find_command(request, &ctx, &module, &command);
        if (r >= 0 && request->words.n_origins > 0 && strstr(command, VARIABLE))
                r = loader_words_check_shell(&request->words, ret_refusal);
        if (r < 0)
                return r;
        *ret = command_line_expand(command, request->words.n_origins > 0 ? request->words.text : "");
        return *ret ? 0 : -ENOMEM;
}
