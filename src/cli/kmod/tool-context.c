/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ToolContext: see tool-context.h. Owns nothing. */

#include "cli/kmod/tool-context.h"

#include <assert.h>
#include <stdio.h>

#include "cli/kmod/tool-message.h"
#include "config.h"

static void _printf_(6, 0) on_message(void *userdata, int level, const char *file, int line,
                                      const char *function, const char *format, va_list ap) {
        _cleanup_(freep) char *text = NULL;

        if (vasprintf(&text, format, ap) < 0) {
                text = NULL;
                return;
        }
        tool_message(level, "%s", text);
}

/**
 * tool_context_new() - libkmod, with a context of its own
 * @directory:    of the modules; NULL: that of the running kernel
 * @config_paths: of modprobe.d, ended by NULL; NULL: those of the system
 * @level:        the last one of which libkmod says something, by the tool's own messages; negative: the level and
 *                the form that libkmod itself chooses
 *
 * Return: 0; -ELIBACC: there is no libkmod, which was said; -ENOMEM or another errno, which was said.
 */
int tool_context_new(struct kmod_ctx **ret, const char *directory, const char *const *config_paths,
                     int level) {
        struct kmod_ctx *ctx;
        int r;

        assert(ret);

        r = kmod_library_open();
        if (r < 0) {
                tool_message(LOG_ERR,
                             "libkmod.so.2 of kmod 34 or later is needed for this: install the package of "
                             "that library (Debian: libkmod2)\n");
                return r;
        }
        ctx = kmod.kmod_new(directory, config_paths);
        if (!ctx) {
                tool_message(LOG_ERR, "kmod_new() failed!\n");
                return -ENOMEM;
        }
        if (level >= 0) {
                kmod.kmod_set_log_priority(ctx, level);
                kmod.kmod_set_log_fn(ctx, on_message, NULL);
        }
        *ret = ctx;
        return 0;
}

/* What kmod says to --version: scripts take the number behind "kmod version". */
void tool_print_version(void) {
        (void) puts("kmod version 34\nlkmd " LKMD_VERSION);
}
