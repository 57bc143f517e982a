/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Index: everything that is known about the modules of one kernel, read once. Owns the configuration and the
 * tables made from the module directory; names and paths in answers live as long as the index. The files may
 * change or vanish afterwards: none of them is mapped.
 */

#include "common/index/index.h"

#include <assert.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "common/base/file-access.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/index/index-internal.h"
#include "common/words/kernel-command-line.h"

/* ---------------------------------------------------------------------------------------------- building */

/* Return: 1 with *@ret; 0 without: the file is missing or broken, which is added to @problems. */
static int open_file(Index *x, const char *name, bool optional, IndexFile **ret, ProblemList *problems) {
        _cleanup_(freep) char *path = NULL;
        int r;

        if (asprintf(&path, "%s/%s", x->module_dir, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }

        r = index_file_open(ret, path, problems);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && !(r == -ENOENT && optional))
                x->whole = false;
        if (r == -ENOENT && !optional)
                return problem_list_add(problems, path, 0, "is missing, run depmod");
        return r >= 0;
}

static int on_dependencies(const char *key, const char *value, uint32_t priority, void *userdata) {
        int r = module_table_add(userdata, key, value);

        return r == -EINVAL ? 0 : r;    /* without a colon it is no module, as in kmod */
}

static int on_builtin(const char *key, const char *value, uint32_t priority, void *userdata) {
        return module_table_add_builtin(userdata, key);
}

static int load_modules(Index *x, bool present, ProblemList *problems) {
        _cleanup_(index_file_freep) IndexFile *dep = NULL, *builtin = NULL;
        int r;

        r = module_table_new(&x->modules, x->module_dir);
        if (r < 0)
                return r;
        if (!present)
                return module_table_seal(x->modules);

        r = open_file(x, "modules.dep.bin", false, &dep, problems);
        if (r < 0)
                return r;
        x->complete = r > 0;
        if (dep) {
                r = index_file_foreach(dep, on_dependencies, x->modules);
                if (r < 0)
                        return r;
        }

        r = open_file(x, "modules.builtin.bin", false, &builtin, problems);
        if (r < 0)
                return r;
        if (builtin) {
                r = index_file_foreach(builtin, on_builtin, x->modules);
                if (r < 0)
                        return r;
        }

        return module_table_seal(x->modules); /* before dep is freed */
}

/* Finds the modules that the values name, once for all look-ups. */
static int find_modules(const Index *x, AliasTable *t) {
        const char *value = NULL;
        uint32_t id;

        t->modules = calloc(alias_matcher_value_ids(t->matcher), sizeof(*t->modules));
        if (!t->modules)
                return -ENOMEM;
        while ((value = alias_matcher_next_value(t->matcher, value, &id)))
                t->modules[id] = module_table_find(x->modules, value);
        return 0;
}

static int on_alias(const char *key, const char *value, uint32_t priority, void *userdata) {
        return alias_matcher_add(userdata, key, value, priority);
}

static int load_aliases(Index *x, const char *name, bool optional, AliasTable *t, ProblemList *problems) {
        _cleanup_(index_file_freep) IndexFile *f = NULL;
        int r;

        r = open_file(x, name, optional, &f, problems);
        if (r <= 0)
                return r;

        r = alias_matcher_new(&t->matcher, ALIAS_INDEX);
        if (r < 0)
                return r;
        r = index_file_foreach(f, on_alias, t->matcher);
        if (r < 0)
                return r;
        r = alias_matcher_seal(t->matcher);
        return r < 0 ? r : find_modules(x, t);
}

/* Their priority is their number, so answers are in the order of the lines. */
static int load_config_aliases(Index *x) {
        AliasTable *t = &x->config_aliases;
        const ConfigEntry *entries;
        size_t n;
        int r;

        entries = modprobe_config_entries(x->config, CONFIG_ALIAS, &n);
        if (n == 0)
                return 0;

        r = alias_matcher_new(&t->matcher, ALIAS_FNMATCH);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                r = alias_matcher_add(t->matcher, entries[i].name, entries[i].value, (uint32_t) i);
                if (r < 0)
                        return r;
        }

        return alias_matcher_seal(t->matcher);
}

/* Line number @i of the install lines, then of the remove lines. */
const ConfigEntry *index_get_command(const Index *x, size_t i) {
        const ConfigEntry *installs, *removes;
        size_t n_installs, n_removes;

        installs = modprobe_config_entries(x->config, CONFIG_INSTALL, &n_installs);
        removes = modprobe_config_entries(x->config, CONFIG_REMOVE, &n_removes);
        if (i < n_installs)
                return &installs[i];
        return i - n_installs < n_removes ? &removes[i - n_installs] : NULL;
}

/* The first line of a name counts, and an install line before any remove line. */
static int load_commands(Index *x) {
        const ConfigEntry *e;
        int r;

        r = name_table_new(&x->commands);
        if (r < 0)
                return r;

        for (size_t i = 0; (e = index_get_command(x, i)); i++) {
                r = name_table_add(x->commands, e->name, i);
                if (r < 0 && r != -EEXIST)
                        return r;
        }

        return 0;
}

static int load_config(Index *x, const IndexSources *sources, ProblemList *problems) {
        _cleanup_(freep) char *command_line = NULL;
        int r;

        if (!sources->command_line) {
                r = kernel_command_line_read(&command_line, problems);
                if (r < 0)
                        return r;
        }

        r = modprobe_config_new(&x->config, &(ModprobeConfigSources) {
                .paths = sources->config_paths,
                .module_dir = x->module_dir,
                .command_line = sources->command_line ?: command_line,
        }, problems);
        if (r < 0)
                return r;

        r = softdep_table_new(&x->softdeps, x->config);
        if (r < 0)
                return r;
        r = load_commands(x);
        if (r < 0)
                return r;
        return load_config_aliases(x);
}

static int load_devnames(Index *x, ProblemList *problems) {
        _cleanup_(freep) char *path = NULL;

        if (asprintf(&path, "%s/modules.devname", x->module_dir) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return devname_table_new(&x->devnames, path, problems);
}

static int load_module_dir(Index *x, ProblemList *problems) {
        struct stat st;
        bool present;
        int r;

        r = file_access_stat(x->module_dir, &st);
        present = r >= 0;
        if (!present) {
                r = r == -ENOENT || r == -ENOTDIR
                            ? problem_list_add(problems, x->module_dir, 0, "no modules for this kernel: %s",
                                               strerror(-r))
                            : problem_list_add_unread(problems, x->module_dir, "cannot be read: %s",
                                                      strerror(-r));
                if (r < 0)
                        return r;
        }

        r = load_modules(x, present, problems);
        if (r < 0 || !present)
                return r;

        r = load_aliases(x, "modules.alias.bin", false, &x->aliases, problems);
        if (r < 0)
                return r;
        r = load_aliases(x, "modules.builtin.alias.bin", true, &x->builtin_aliases, problems);
        if (r < 0)
                return r;

        r = open_file(x, "modules.symbols.bin", false, &x->symbols, problems);
        if (r < 0)
                return r;
        return load_devnames(x, problems);
}

/* Can it be the name of a directory below /lib/modules? */
bool index_release_is_valid(const char *release) {
        assert(release);

        return *release != '\0' && !strchr(release, '/') && !streq(release, ".") && !streq(release, "..");
}

/* Concatenates root and path, as modprobe -d does; a relative root is below the current directory. */
static int name_module_dir(Index *x, const IndexSources *sources) {
        const char *root = sources->root ?: "";
        _cleanup_(freep) char *here = NULL;
        struct utsname u;

        if (!sources->release && uname(&u) < 0)
                return -errno;
        x->release = strdup(sources->release ?: u.release);
        if (!x->release)
                return -ENOMEM;
        if (!index_release_is_valid(x->release))
                return -EINVAL;

        if (*root && *root != '/') {
                here = get_current_dir_name();
                if (!here)
                        return -errno;
        }
        if (asprintf(&x->module_dir, "%s%s%s" MODULE_ROOT "/%s", here ?: "", here ? "/" : "", root,
                     x->release) < 0) {
                x->module_dir = NULL;
                return -ENOMEM;
        }

        return 0;
}

static void alias_table_clear(AliasTable *t) {
        alias_matcher_free(t->matcher);
        free(t->modules);
}

static Index *index_free(Index *x) {
        if (!x)
                return NULL;

        alias_table_clear(&x->config_aliases);
        alias_table_clear(&x->aliases);
        alias_table_clear(&x->builtin_aliases);
        index_file_free(x->symbols);
        devname_table_free(x->devnames);
        module_table_free(x->modules);
        name_table_free(x->commands);
        softdep_table_free(x->softdeps);
        modprobe_config_free(x->config);
        free(x->module_dir);
        free(x->release);
        free(x);
        return NULL;
}
DEFINE_CLEANUP(Index, index_free);

/**
 * index_new() - read everything
 * @sources:  borrowed for the call
 * @problems: gets what is missing or broken, each with its file; the index has everything else. May be NULL
 *
 * Return: 0, also without any modules (see index_is_complete()); -EINVAL for a release that cannot be one;
 * -ENOMEM; errors of getcwd(3) for a relative root.
 */
int index_new(const Index **ret, const IndexSources *sources, ProblemList *problems) {
        _cleanup_(index_freep) Index *x = NULL;
        int r;

        assert(ret && sources);

        x = calloc(1, sizeof(*x));
        if (!x)
                return -ENOMEM;
        x->n_ref = 1;
        x->whole = true;

        r = name_module_dir(x, sources);
        if (r < 0)
                return r;
        r = load_config(x, sources, problems);
        if (r < 0)
                return r;
        r = load_module_dir(x, problems);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(x);
        return 0;
}

/* The number of references is the only thing that changes in an index. */
const Index *index_ref(const Index *x) {
        assert(x && x->n_ref > 0);

        ((Index *) x)->n_ref++;
        return x;
}

/* Return: NULL. */
const Index *index_unref(const Index *x) {
        if (!x)
                return NULL;
        assert(x->n_ref > 0);

        if (--((Index *) x)->n_ref == 0)
                index_free((Index *) x);
        return NULL;
}

/* ------------------------------------------------------------------------------------------------ asking */

/**
 * index_find_module() - the module with exactly this name, loadable or built in
 * @name: need not be normalised
 *
 * Return: NULL if there is none.
 */
const IndexModule *index_find_module(const Index *x, const char *name) {
        char normal[256];

        assert(x && name);

        if (module_name_normalize(name, normal, sizeof(normal)) < 0)
                return NULL;
        return module_table_find(x->modules, normal);
}

/**
 * index_softdeps() - what goes before and after a module, all lines merged
 * @module: need not be normalised
 * @ret:    in the order of the lines; each key has to be looked up; to be freed, NULL if there is none
 *
 * Return: 0; -EINVAL, -ENAMETOOLONG: no name of a module; -ENOMEM.
 */
int index_softdeps(const Index *x, const char *module, IndexSoftdep **ret, size_t *ret_n) {
        char normal[REQUEST_KEY_MAX + 1];
        int r;

        assert(x && module && ret && ret_n);

        r = module_name_normalize(module, normal, sizeof(normal));
        if (r < 0)
                return r;

        return softdep_table_find(x->softdeps, normal, ret, ret_n);
}

const ModprobeConfig *index_get_config(const Index *x) {
        assert(x);

        return x->config;
}

/* The device nodes that request modules when they are opened (modules.devname); borrowed. */
const Devname *index_get_devnames(const Index *x, size_t *ret_n) {
        assert(x && ret_n);

        *ret_n = 0;
        return x->devnames ? devname_table_get(x->devnames, ret_n) : NULL;
}

const char *index_get_release(const Index *x) {
        assert(x);

        return x->release;
}

const char *index_get_module_dir(const Index *x) {
        assert(x);

        return x->module_dir;
}

/*
 * Were all index files there and valid? An index that is complete but not whole lacks some answers.
 */
bool index_is_whole(const Index *x) {
        assert(x);

        return x->complete && x->whole;
}

bool index_is_complete(const Index *x) {
        assert(x);

        return x->complete;
}

size_t index_count_modules(const Index *x) {
        assert(x);

        return module_table_count(x->modules);
}

/* Module number @i, below index_count_modules(), in no particular order. */
const IndexModule *index_get_module(const Index *x, size_t i) {
        assert(x);

        return module_table_get(x->modules, i);
}

/* Of modules.alias and modules.builtin.alias, without modprobe.d. */
size_t index_count_aliases(const Index *x) {
        assert(x);

        return (x->aliases.matcher ? alias_matcher_count(x->aliases.matcher) : 0) +
               (x->builtin_aliases.matcher ? alias_matcher_count(x->builtin_aliases.matcher) : 0);
}
