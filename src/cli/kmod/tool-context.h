/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/kmod/kmod-library.h"
#include "common/base/util.h"

/* What all tools need of libkmod: a context whose messages are the tool's own, and the answer to --version. */

int tool_context_new(struct kmod_ctx **ret, const char *directory, const char *const *config_paths,
                     int level);
void tool_print_version(void);

static inline void kmod_ctx_unrefp(struct kmod_ctx **ctx) {
        if (*ctx)
                (void) kmod.kmod_unref(*ctx);
}

static inline void kmod_module_unrefp(struct kmod_module **module) {
        if (*module)
                (void) kmod.kmod_module_unref(*module);
}

static inline void kmod_module_list_unrefp(struct kmod_list **list) {
        if (*list)
                (void) kmod.kmod_module_unref_list(*list);
}
