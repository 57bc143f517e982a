/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* StaleModules: see stale-modules.h. Owns its items. A module that goes meanwhile is not among them. */

#include "cli/reasons/stale-modules.h"

#include <assert.h>
#include <dirent.h>

#include "cli/machine/attribute.h"
#include "common/base/array.h"
#include "common/base/text.h"
#include "common/plan/kernel-names.h"

static const struct {
        const char *name, *words;
} kinds[_STALE_KIND_MAX] = {
        [STALE_OTHER_BUILD] = { "other_build", "its file was replaced" },
        [STALE_NO_FILE] = { "no_file", "its file is gone" },
        [STALE_NO_KERNEL] = { "no_kernel", "the modules of this kernel are gone" },
};

const char *stale_module_words(StaleKind kind) {
        assert(kind < _STALE_KIND_MAX);

        return kinds[kind].words;
}

static void clear_item(StaleModule *m) {
        free(m->module);
        free(m->path);
        module_build_clear(&m->loaded);
        module_build_clear(&m->on_disk);
}

void stale_modules_clear(StaleModules *s) {
        assert(s);

        for (size_t i = 0; i < s->n_items; i++)
                clear_item(s->items + i);
        free(s->items);
        *s = (StaleModules) {};
}

/* @kind: set on success. Return: 1: it is stale; 0: it is not; -ENODATA: that cannot be told; -ENOMEM. */
static int judge(const Machine *machine, const Index *index, FileFacts *facts, StaleModule *m) {
        const IndexModule *known = kernel_name_find(index, facts, m->module);
        int r;

        if (!known) {
                m->kind = index_is_complete(index) ? STALE_NO_FILE : STALE_NO_KERNEL;
                return access(index_get_module_dir(index), F_OK) < 0 || index_is_complete(index) ? 1
                                                                                                 : -ENODATA;
        }
        if (!known->path)
                return 0;               /* it is built in now, and cannot be in there twice */
        m->path = strdup(known->path);
        if (!m->path)
                return -ENOMEM;
        r = module_build_of_kernel(machine, m->module, &m->loaded);
        if (r < 0)
                return r;
        r = module_build_of_file(m->path, &m->on_disk);
        if (r == -ENOENT) {
                m->kind = STALE_NO_FILE;
                return 1;
        }
        if (r < 0)
                return r == -ENOMEM ? r : -ENODATA;
        m->kind = STALE_OTHER_BUILD;
        switch (module_build_compare(&m->loaded, &m->on_disk)) {
        case BUILD_SAME:
                return 0;
        case BUILD_OTHER:
                return 1;
        default:
                return -ENODATA;
        }
}

static int add(const Machine *machine, const Index *index, FileFacts *facts, const char *name,
               StaleModules *s) {
        _cleanup_(freep) char *directory = NULL, *state = NULL;
        StaleModule m = {};
        uint64_t users = 0;
        int r;

        if (asprintf(&directory, "%s/module/%s", machine->sys, name) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        r = attribute_new(directory, "initstate", &state);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* what is built in has none */
        s->n_modules++;
        m.module = strdup(name);
        r = m.module ? judge(machine, index, facts, &m) : -ENOMEM;
        if (r > 0) {
                (void) attribute_unsigned(directory, "refcnt", &users);
                m.in_use = users > 0;
                r = array_grow(&s->items, s->n_items, sizeof(*s->items));
                if (r >= 0) {
                        s->items[s->n_items++] = m;
                        return 0;
                }
        }
        clear_item(&m);
        s->n_unknown += r == -ENODATA;
        return r == -ENODATA ? 0 : r;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_name(const struct dirent *e) {
        return e->d_name[0] != '.';
}

/**
 * stale_modules_find() - compare the modules in the kernel with their files
 * @index: of the running kernel
 * @ret:   to be cleared, also after a failure; in the order of their names
 *
 * Return: 0; -ENOMEM; what reading /sys/module fails with.
 */
int stale_modules_find(const Machine *machine, const Index *index, FileFacts *facts, StaleModules *ret) {
        _cleanup_(freep) char *directory = NULL;
        struct dirent **entries = NULL;
        int n, r = 0;

        assert(machine && index && facts && ret);

        *ret = (StaleModules) {};
        if (asprintf(&directory, "%s/module", machine->sys) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        n = scandir(directory, &entries, is_name, by_name);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = add(machine, index, facts, entries[i]->d_name, ret);
                free(entries[i]);
        }
        free(entries);
        return r;
}

/* What makes the kernel and the disk agree again. Return: 0; -ENOMEM. */
int stale_module_command(const StaleModule *m, char **ret) {
        int n;

        assert(m && ret);

        if (m->kind == STALE_NO_KERNEL)
                n = asprintf(ret, "reboot");
        else if (m->kind == STALE_NO_FILE)
                n = asprintf(
                        ret,
                        "lkmctl unload %s, if it is not needed any more; else install its package again",
                        m->module);
        else if (m->in_use)
                n = asprintf(
                        ret,
                        "stop what uses it (lkmctl status %s), then lkmctl unload %s && lkmctl load %s; or reboot",
                        m->module, m->module, m->module);
        else
                n = asprintf(ret, "lkmctl unload %s && lkmctl load %s", m->module, m->module);
        if (n >= 0)
                return 0;
        *ret = NULL;
        return -ENOMEM;
}

static int build_to_json(const ModuleBuild *b, sd_json_variant **ret) {
        _cleanup_(freep) char *version = NULL, *srcversion = NULL;
        int r = 0;

        if (b->version)
                r = text_escape(b->version, &version);
        if (r >= 0 && b->srcversion)
                r = text_escape(b->srcversion, &srcversion);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_CONDITION(version != NULL, "version", SD_JSON_BUILD_STRING(version)),
                SD_JSON_BUILD_PAIR_CONDITION(srcversion != NULL, "srcVersion",
                                             SD_JSON_BUILD_STRING(srcversion)),
                SD_JSON_BUILD_PAIR_CONDITION(b->build_id != NULL, "buildId",
                                             SD_JSON_BUILD_STRING(b->build_id)));
}

/* {module, kind, path?, inUse, loaded: {version?, srcVersion?, buildId?}, file: {likewise}, command} */
int stale_module_to_json(const StaleModule *m, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *loaded = NULL, *on_disk = NULL;
        _cleanup_(freep) char *command = NULL, *path = NULL, *module = NULL;
        int r;

        assert(m && ret);

        r = stale_module_command(m, &command);
        if (r >= 0)
                r = text_escape(m->module, &module);
        if (r >= 0 && m->path)
                r = text_escape(m->path, &path);
        if (r >= 0)
                r = build_to_json(&m->loaded, &loaded);
        if (r >= 0)
                r = build_to_json(&m->on_disk, &on_disk);
        if (r < 0)
                return r;
        return sd_json_buildo(
                ret, SD_JSON_BUILD_PAIR_STRING("module", module),
                SD_JSON_BUILD_PAIR_STRING("kind", kinds[m->kind].name),
                SD_JSON_BUILD_PAIR_CONDITION(path != NULL, "path", SD_JSON_BUILD_STRING(path)),
                SD_JSON_BUILD_PAIR_BOOLEAN("inUse", m->in_use), SD_JSON_BUILD_PAIR_VARIANT("loaded", loaded),
                SD_JSON_BUILD_PAIR_VARIANT("file", on_disk), SD_JSON_BUILD_PAIR_STRING("command", command));
}
