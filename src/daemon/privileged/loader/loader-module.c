/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderModule: opens the file of a module and passes it to the kernel, or has the kernel remove a module. Owns the
 * contexts of libkmod that no thread uses at the moment.
 */

#include "daemon/privileged/loader/loader-module.h"

#include <assert.h>
#include <fcntl.h>
#include <libkmod.h>
#include <limits.h>
#include <pthread.h>
#include <syslog.h>

#include "common/base/module-file.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/base/root-file.h"
#include "common/base/util.h"

/**
 * loader_open_module() - open a module file, if module_file_find() finds it
 * @base: the module root of this system, such as /lib/modules; symbolic links in it are followed
 *
 * Its place, type and owner are checked before it is opened for reading.
 *
 * Return: a file descriptor; as module_file_find(); what open(2) said.
 */
int loader_open_module(const char *base, const char *path) {
        _cleanup_(closep) int found = -EBADF;

        assert(base && path);

        found = module_file_find("", base, path);
        return found < 0 ? found : root_file_reopen(found);
}

/**
 * loader_file_is_called() - is it the file that modprobe would load for this module?
 * @module: normalised
 *
 * Root wrote the parameters of a request for @module; another module must not get them.
 */
bool loader_file_is_called(const char *path, const char *module) {
        char name[NAME_MAX + 1];

        assert(path && module);

        (void) module_name_of_path(path, strlen(path), name, sizeof(name));
        return streq(name, module);
}

/* Return: 0 with a new context, negative errno. The manager reports failures, so libkmod does not log. */
static int context_new(struct kmod_ctx **ret) {
        static const char *const no_config[] = { NULL };

        errno = 0;
        *ret = kmod_new(NULL, no_config);
        if (!*ret)
                return errno > 0 ? -errno : -ENOMEM;
        kmod_set_log_priority(*ret, LOG_CRIT);
        return 0;
}

/*
 * Contexts without configuration that no thread uses now. Threads cannot share a context, but use it one after the
 * other: making one reads half a dozen files, which do not change while the kernel runs.
 */
static pthread_mutex_t contexts_lock = PTHREAD_MUTEX_INITIALIZER;
static struct kmod_ctx *contexts[LOADS_MAX];
static size_t n_contexts;

static int context_take(struct kmod_ctx **ret) {
        struct kmod_ctx *ctx = NULL;

        (void) pthread_mutex_lock(&contexts_lock);
        if (n_contexts > 0)
                ctx = contexts[--n_contexts];
        (void) pthread_mutex_unlock(&contexts_lock);
        if (!ctx)
                return context_new(ret);
        *ret = ctx;
        return 0;
}

static inline void context_returnp(struct kmod_ctx **ctx) {
        struct kmod_ctx *rest = *ctx;

        (void) pthread_mutex_lock(&contexts_lock);
        if (rest && n_contexts < ARRAY_LEN(contexts)) {
                contexts[n_contexts++] = rest;
                rest = NULL;
        }
        (void) pthread_mutex_unlock(&contexts_lock);
        if (rest)
                (void) kmod_unref(rest);
}

/* To be called when no thread is left. */
void loader_contexts_free(void) {
        while (n_contexts > 0)
                (void) kmod_unref(contexts[--n_contexts]);
}

static inline void kmod_module_unrefp(struct kmod_module **module) {
        if (*module)
                (void) kmod_module_unref(*module);
}

/**
 * loader_insert() - pass the file of a module to the kernel
 * @request: its words were checked
 *
 * kmod_module_insert_module(3) lets the kernel decompress where it can, and decompresses where it cannot.
 *
 * The kernel takes the name from inside the file, which may be another one: the manager finds that out.
 */
int loader_insert(const LoaderRequest *request, LoaderRefusal *ret_refusal) {
        _cleanup_(context_returnp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        _cleanup_(closep) int fd = -EBADF;
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        int r;

        assert(request && ret_refusal);

        if (!loader_file_is_called(request->path, request->module)) {
                *ret_refusal = LOADER_REFUSED_NAME;
                return -EPERM;
        }
        fd = loader_open_module(MODULE_ROOT, request->path);
        if (fd == -EPERM)
                *ret_refusal = LOADER_REFUSED_FILE;
        if (fd < 0)
                return fd;

        r = context_take(&ctx);
        if (r < 0)
                return r;

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

int loader_remove(const LoaderRequest *request) {
        _cleanup_(context_returnp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        int r;

        assert(request);

        r = context_take(&ctx);
        if (r < 0)
                return r;
        r = kmod_module_new_from_name(ctx, request->module, &module);
        if (r < 0)
                return r;
        return kmod_module_remove_module(module,
                                         request->flags & LOADER_FORCE_REMOVAL ? KMOD_REMOVE_FORCE : 0);
}
