/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleInfo: the .modinfo section of a module's file, read through libkmod, which knows the compressed ones
 * as well.
 */

#include "common/module-info.h"

#include <assert.h>
#include <libkmod.h>
#include <syslog.h>

#include "common/util.h"

static inline void kmod_unrefp(struct kmod_ctx **ctx) {
        if (*ctx)
                (void) kmod_unref(*ctx);
}

static inline void kmod_module_unrefp(struct kmod_module **module) {
        if (*module)
                (void) kmod_module_unref(*module);
}

static inline void kmod_info_freep(struct kmod_list **list) {
        kmod_module_info_free_list(*list);
}

static inline void namesp(char ***names) {
        module_info_parameters_free(*names);
}

/* Frees a NULL-terminated array; NULL is fine. */
void module_info_parameters_free(char **names) {
        for (char **name = names; name && *name; name++)
                free(*name);
        free(names);
}

static int append_name(char ***names, size_t *n, const char *text) {
        char **grown, *name;

        name = strndup(text, strcspn(text, ":"));
        if (!name)
                return -ENOMEM;
        for (size_t i = 0; i < *n; i++)
                if (streq((*names)[i], name)) {
                        free(name);
                        return 0;
                }

        grown = reallocarray(*names, *n + 2, sizeof(*grown));
        if (!grown) {
                free(name);
                return -ENOMEM;
        }
        *names = grown;
        grown[(*n)++] = name;
        grown[*n] = NULL;
        return 0;
}

/**
 * module_info_parameters() - the names of the parameters that a module has
 * @path: of the file
 * @ret:  NULL-terminated, module_info_parameters_free(); without those that the kernel gives to every module
 *
 * A parameter has a "parmtype" line, and a "parm" line if it is described (include/linux/moduleparam.h).
 *
 * Return: 0; or the negative errno of reading the file.
 */
int module_info_parameters(const char *path, char ***ret) {
        static const char *const no_config[] = { NULL };
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = NULL;
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        _cleanup_(kmod_info_freep) struct kmod_list *info = NULL;
        _cleanup_(namesp) char **names = NULL;
        struct kmod_list *item;
        size_t n = 0;
        int r;

        assert(path && ret);

        names = calloc(1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        ctx = kmod_new(NULL, no_config);
        if (!ctx)
                return -ENOMEM;
        kmod_set_log_priority(ctx, LOG_CRIT);
        r = kmod_module_new_from_path(ctx, path, &module);
        if (r < 0)
                return r;
        r = kmod_module_get_info(module, &info);
        if (r < 0)
                return r;

        kmod_list_foreach(item, info) {
                const char *key = kmod_module_info_get_key(item);

                if (!streq(key, "parm") && !streq(key, "parmtype"))
                        continue;
                r = append_name(&names, &n, kmod_module_info_get_value(item));
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(names);
        return 0;
}
