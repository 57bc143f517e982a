/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Loads by modprobe: those that lkmd is not asked for, and what -R, -D and -n show. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/kmod/kmod-library.h"
#include "cli/kmod/modprobe-ask.h"
#include "cli/kmod/modprobe.h"
#include "cli/kmod/tool-context.h"
#include "cli/kmod/tool-message.h"
#include "common/base/util.h"

/* Called by libkmod for each step, before it is done. */
static void print_step(struct kmod_module *module, bool install, const char *options) {
        const char *path;

        if (install) {
                (void) printf("install %s %s\n", kmod.kmod_module_get_install_commands(module), options);
                return;
        }
        path = kmod.kmod_module_get_path(module);
        if (path)
                (void) printf("insmod %s %s\n", path, options);
        else if (kmod.kmod_module_get_initstate(module) == KMOD_MODULE_BUILTIN)
                (void) printf("builtin %s\n", kmod.kmod_module_get_name(module));
}

/* What libkmod calls KMOD_PROBE_*. */
static unsigned probe_flags(const ModprobeOptions *o) {
        return KMOD_PROBE_APPLY_BLACKLIST_ALIAS_ONLY |
               (o->force_modversion ? (unsigned) KMOD_PROBE_FORCE_MODVERSION : 0) |
               (o->force_vermagic ? (unsigned) KMOD_PROBE_FORCE_VERMAGIC : 0) |
               (o->ignore_commands ? (unsigned) KMOD_PROBE_IGNORE_COMMAND : 0) |
               (o->ignore_loaded ? (unsigned) KMOD_PROBE_IGNORE_LOADED : 0) |
               (o->dry_run ? (unsigned) KMOD_PROBE_DRY_RUN : 0) |
               (o->use_blacklist ? (unsigned) KMOD_PROBE_APPLY_BLACKLIST : 0) |
               (o->first_time ? (unsigned) KMOD_PROBE_FAIL_ON_LOADED : 0);
}

/* The sentence of kmod for what the kernel said. */
void modprobe_say_failure(const char *module, int error) {
        const char *text = error == -EEXIST   ? "Module already in kernel"
                           : error == -ENOENT ? "Unknown symbol in module, or unknown parameter (see dmesg)"
                                              : strerror(-error);

        tool_message(LOG_ERR, "could not insert '%s': %s\n", module, text);
}

static int insert_module(Modprobe *m, struct kmod_module *module, const char *parameters) {
        const ModprobeOptions *o = &m->options;
        int r;

        if (o->resolve) {
                (void) puts(kmod.kmod_module_get_name(module));
                return 0;
        }
        if (!o->dry_run) {
                r = modprobe_judge(m, module, probe_flags(o));
                if (r != 0)
                        return MIN(r, 0);
        }
        r = kmod.kmod_module_probe_insert_module(module, probe_flags(o), parameters, NULL, NULL,
                                                 modprobe_shows(m) ? print_step : NULL);
        if (r < 0)
                modprobe_say_failure(kmod.kmod_module_get_name(module), r);
        return MIN(r, 0);               /* above it is a blacklist that keeps it out */
}

static int insert_file(Modprobe *m, const char *file, const char *parameters) {
        _cleanup_(kmod_module_unrefp) struct kmod_module *module = NULL;
        int r;

        r = kmod.kmod_module_new_from_path(m->ctx, file, &module);
        if (r < 0) {
                modprobe_say(m, "Failed to get module from path %s: %s\n", file, strerror(-r));
                return -ENOENT;
        }
        return insert_module(m, module, parameters);
}

/* All that the name means are tried; the last one counts, as in kmod. */
static int insert_name(Modprobe *m, const char *name, const char *parameters) {
        struct kmod_list *list = NULL;
        int r;

        r = kmod.kmod_module_new_from_lookup(m->ctx, name, &list);
        if (r < 0 || !list) {
                modprobe_say(m, "Module %s not found in directory %s\n", name,
                             kmod.kmod_get_dirname(m->ctx));
                return -ENOENT;
        }
        for (struct kmod_list *l = list; l && !m->ends; l = kmod.kmod_list_next(list, l)) {
                _cleanup_(kmod_module_unrefp) struct kmod_module *module = kmod.kmod_module_get_module(l);

                r = insert_module(m, module, parameters);
        }
        kmod.kmod_module_unref_list(list);
        return r;
}

/**
 * modprobe_insert() - load what a name means, or a file
 * @parameters: NULL: none
 *
 * Return: 0; negative errno, after saying why.
 */
int modprobe_insert(Modprobe *m, const char *name, const char *parameters) {
        int r, result = 0;

        if (modprobe_answer_soon(m, name) || modprobe_depend_soon(m, name, parameters))
                return 0;
        if (modprobe_ask_load(m, name, &result))
                return result;
        r = modprobe_open(m);
        if (r < 0)
                return r;
        return modprobe_is_path(name) ? insert_file(m, name, parameters) : insert_name(m, name, parameters);
}
