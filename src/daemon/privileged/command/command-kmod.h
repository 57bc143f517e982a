/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libkmod.h>

/* For _cleanup_: the two objects of libkmod that lkmd-command uses. */

static inline void kmod_unrefp(struct kmod_ctx **ctx) {
        if (*ctx)
                (void) kmod_unref(*ctx);
}

static inline void kmod_module_unrefp(struct kmod_module **module) {
        if (*module)
                (void) kmod_module_unref(*module);
}
