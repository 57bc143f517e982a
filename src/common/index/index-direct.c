/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IndexDirect: looks a key up in depmod's files on disk. Owns the configuration and the path of the module
 * directory; files are mapped when a stage of the look-up needs them. Building an index takes twenty
 * milliseconds and pays off after a hundred keys; this takes a tenth of a millisecond for each key, and
 * nothing before. The stages and their order are those of index_lookup().
 */

#include "common/index/index-direct.h"

#include <assert.h>
#include <stdint.h>

#include "common/base/array.h"
#include "common/base/glob.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/index/index-file.h"
#include "common/words/kernel-command-line.h"

struct IndexDirect {
        char *module_dir;
        ModprobeConfig *config;
        char key[REQUEST_KEY_MAX + 1];  /* normalised */
        index_direct_match_t match;
        void *userdata;
        size_t n_matches;               /* of the current look-up */
};

/*
 * Patterns that were found, in libkmod's order: by priority, among equal ones the last found first
 * (add_value()).
 */
typedef struct Found {
        char *value;
        uint32_t priority;
} Found;

typedef struct FoundList {
        Found *items;
        size_t n;
} FoundList;

static void found_list_clear(FoundList *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].value);
        free(l->items);
}

static int on_found(const char *key, const char *value, uint32_t priority, void *userdata) {
        FoundList *l = userdata;
        size_t at = 0;
        char *copy;

        if (array_grow(&l->items, l->n, sizeof(*l->items)) < 0)
                return -ENOMEM;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;

        while (at < l->n && l->items[at].priority < priority)
                at++;
        memmove(l->items + at + 1, l->items + at, (l->n - at) * sizeof(*l->items));
        l->items[at] = (Found) { .value = copy, .priority = priority };
        l->n++;
        return 0;
}

static int add_match(IndexDirect *x, const char *name) {
        x->n_matches++;
        return x->match(name, x->userdata);
}

static int add_found(IndexDirect *x, const FoundList *l) {
        for (size_t i = 0; i < l->n; i++) {
                int r = add_match(x, l->items[i].value);

                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * A file that does not exist, or is no index, has no entries, as for libkmod. Return: 1 with @ret; 0
 * without; -ENOMEM.
 */
static int map_file(const IndexDirect *x, const char *name, IndexFile **ret) {
        _cleanup_(freep) char *path = NULL;
        int r;

        if (asprintf(&path, "%s/%s", x->module_dir, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = index_file_map(ret, path);
        return r == -ENOMEM ? r : r >= 0;
}

static int find_config_aliases(IndexDirect *x) {
        const ConfigEntry *entries;
        size_t n;

        entries = modprobe_config_entries(x->config, CONFIG_ALIAS, &n);
        for (size_t i = 0; i < n; i++) {
                int r = glob_match(entries[i].name, x->key) ? add_match(x, entries[i].value) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Adds the key if the index has exactly this key: it is the name of a module, or of a built-in one. */
static int find_name_in(IndexDirect *x, const char *file, bool with_path) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        const char *value;
        int r;

        r = map_file(x, file, &f);
        if (r <= 0)
                return r;
        if (index_file_search(f, x->key, &value) < 0 || (with_path && !strchr(value, ':')))
                return 0;
        return add_match(x, x->key);
}

static int find_name(IndexDirect *x) {
        return strchr(x->key, ':') ? 0 : find_name_in(x, "modules.dep.bin", /* with_path= */ true);
}

static int find_builtin(IndexDirect *x) {
        return find_name_in(x, "modules.builtin.bin", /* with_path= */ false);
}

static int find_symbol(IndexDirect *x) {
        _cleanup_(found_list_clear) FoundList found = {};
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        int r;

        if (!startswith(x->key, "symbol:"))
                return 0;
        r = map_file(x, "modules.symbols.bin", &f);
        if (r <= 0)
                return r;
        r = index_file_search_all(f, x->key, on_found, &found);
        return r < 0 ? (r == -ENOMEM ? r : 0) : add_found(x, &found);
}

static int find_command(IndexDirect *x) {
        static const ConfigKind kinds[] = { CONFIG_INSTALL, CONFIG_REMOVE };

        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
                const ConfigEntry *entries;
                size_t n;

                entries = modprobe_config_entries(x->config, kinds[k], &n);
                for (size_t i = 0; i < n; i++)
                        if (streq(entries[i].name, x->key))
                                return add_match(x, entries[i].name);
        }
        return 0;
}

static int find_in_aliases(IndexDirect *x, const char *file) {
        _cleanup_(found_list_clear) FoundList found = {};
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        int r;

        r = map_file(x, file, &f);
        if (r <= 0)
                return r;
        r = index_file_search_wild(f, x->key, on_found, &found);
        return r == -ENOMEM ? r : add_found(x, &found);
}

static int find_aliases(IndexDirect *x) {
        return find_in_aliases(x, "modules.alias.bin");
}

static int find_builtin_aliases(IndexDirect *x) {
        return find_in_aliases(x, "modules.builtin.alias.bin");
}

/**
 * index_direct_new() - read the configuration, and nothing else yet
 * @config_paths: as in ModprobeConfigSources
 * @problems:     gets what is wrong with the configuration. May be NULL
 *
 * Return: 0; -ENOMEM.
 */
int index_direct_new(IndexDirect **ret, const char *module_dir, const char *const *config_paths,
                     ProblemList *problems) {
        _cleanup_(index_direct_freep) IndexDirect *x = NULL;
        _cleanup_(freep) char *command_line = NULL;
        int r;

        assert(ret && module_dir);

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        x->module_dir = strdup(module_dir);
        if (!x->module_dir)
                return -ENOMEM;
        r = kernel_command_line_read(&command_line, problems);
        if (r < 0)
                return r;
        r = modprobe_config_new(&x->config,
                                &(ModprobeConfigSources) { .paths = config_paths, .command_line = command_line },
                                problems);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(x);
        return 0;
}

/* Return: NULL. */
IndexDirect *index_direct_free(IndexDirect *x) {
        if (!x)
                return NULL;

        modprobe_config_free(x->config);
        free(x->module_dir);
        free(x);
        return NULL;
}

/**
 * index_direct_lookup() - the modules that a key means
 * @match: called for each, in kmod's order, duplicates included
 *
 * Return: 0, also if nothing was found or the key cannot be one; what @match returned; -ENOMEM.
 */
int index_direct_lookup(IndexDirect *x, const char *key, index_direct_match_t match, void *userdata) {
        static int (*const stages[])(IndexDirect *x) = {
                find_config_aliases, find_name,    find_symbol,          find_command,
                find_aliases,        find_builtin, find_builtin_aliases,
        };

        assert(x && key && match);

        if (strlen(key) >= sizeof(x->key))
                return 0;
        (void) stpcpy(x->key, key);
        if (!module_name_normalize_in_place(x->key))
                return 0;

        x->match = match;
        x->userdata = userdata;
        x->n_matches = 0;
        for (size_t i = 0; i < ARRAY_LEN(stages) && x->n_matches == 0; i++) {
                int r = stages[i](x);

                if (r < 0)
                        return r;
        }
        return 0;
}
