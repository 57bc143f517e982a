/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CommandInsert: has libkmod decompress a module's file and pass the content to init_module(2). lkmd-loader leaves
 * such files to lkmd-command, since it links no such library. Owns nothing.
 */

#include "daemon/privileged/command/command-insert.h"

#include <assert.h>
#include <syslog.h>

#include "common/base/util.h"
#include "daemon/privileged/command/command-kmod.h"
#include "daemon/privileged/request/loader-file.h"

/**
 * command_insert() - pass the file of a module to the kernel
 * @request: its words were checked
 *
 * Return: 0; -EPERM with a refusal; what libkmod and the kernel say.
 */
int command_insert(const LoaderRequest *request, LoaderRefusal *ret_refusal) {
        static const char *const no_config[] = { NULL };
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        _cleanup_(closep) int fd = -EBADF;
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        int r;

        assert(request && ret_refusal);

        fd = loader_open_requested(request, ret_refusal);
        if (fd < 0)
                return fd;
        errno = 0;
        ctx = kmod_new(NULL, no_config);
        if (!ctx)
                return errno > 0 ? -errno : -ENOMEM;
        kmod_set_log_priority(ctx, LOG_CRIT);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        r = kmod_module_new_from_path(ctx, path, &module);
        if (r < 0)
                return r;
        return kmod_module_insert_module(
                module,
                (request->flags & LOADER_FORCE_VERMAGIC ? KMOD_INSERT_FORCE_VERMAGIC : 0) |
                        (request->flags & LOADER_FORCE_MODVERSIONS ? KMOD_INSERT_FORCE_MODVERSION : 0),
                request->words.n_origins > 0 ? request->words.text : "");
}
