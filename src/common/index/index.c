/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Index: everything that is known about the modules of one kernel, read once. Owns the configuration and the
 * tables made from the module directory; names and paths in answers live as long as the index. depmod's files may
 * change or vanish afterwards: none of them is mapped. The tables made from the large ones may be (IndexTree).
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

/* Their priority is their number, so answers are in the order of the lines. */
static int load_config_aliases(Index *x) {
        AliasMatcher **m = &x->config_aliases;
        const ConfigEntry *entries;
        size_t n;
        int r;

        entries = modprobe_config_entries(x->config, CONFIG_ALIAS, &n);
        if (n == 0)
                return 0;

        r = alias_matcher_new(m, ALIAS_FNMATCH);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                r = alias_matcher_add(*m, entries[i].name, entries[i].value, (uint32_t) i);
                if (r < 0)
                        return r;
        }

        return alias_matcher_seal(*m);
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

/* Return: 1: the tree is mapped from its image; 0: it is not, and x->image_reason says why. */
static int load_image(Index *x, const char *image_dir) {
        int r;

        if (!image_dir)
                return 0;
        r = index_tree_load(&x->tree, x->module_dir, image_dir, x->release, &x->image_reason);
        return r == -ENOMEM ? r : r >= 0;
}

static int load_module_dir(Index *x, const char *image_dir, ProblemList *problems) {
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

        r = present ? load_image(x, image_dir) : 0;
        if (r == 0)
                r = index_tree_build(&x->tree, x->module_dir, present, problems);
        if (r < 0 || !present)
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

static Index *index_free(Index *x) {
        if (!x)
                return NULL;

        alias_matcher_free(x->config_aliases);
        index_tree_clear(&x->tree);
        devname_table_free(x->devnames);
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

        r = name_module_dir(x, sources);
        if (r < 0)
                return r;
        r = load_config(x, sources, problems);
        if (r < 0)
                return r;
        r = load_module_dir(x, sources->image_dir, problems);
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
        return module_table_find(x->tree.modules, normal);
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

        return x->tree.complete && x->tree.whole;
}

bool index_is_complete(const Index *x) {
        assert(x);

        return x->tree.complete;
}

size_t index_count_modules(const Index *x) {
        assert(x);

        return module_table_count(x->tree.modules);
}

/* Module number @i, below index_count_modules(), in no particular order. */
const IndexModule *index_get_module(const Index *x, size_t i) {
        assert(x);

        return module_table_get(x->tree.modules, i);
}

/* Of modules.alias and modules.builtin.alias, without modprobe.d. */
size_t index_count_aliases(const Index *x) {
        assert(x);

        return (x->tree.aliases.matcher ? alias_matcher_count(x->tree.aliases.matcher) : 0) +
               (x->tree.builtin_aliases.matcher ? alias_matcher_count(x->tree.builtin_aliases.matcher) : 0);
}

/**
 * index_is_mapped() - are the tables mapped from their image?
 * @ret_reason: if not, why, in words; NULL: no image was asked for. Static
 */
bool index_is_mapped(const Index *x, const char **ret_reason) {
        assert(x && ret_reason);

        *ret_reason = x->tree.image.iov_base ? NULL : x->image_reason;
        return x->tree.image.iov_base;
}

/**
 * index_compose_image() - make the image that another index of the same files can be mapped from
 * @ret: to be freed
 *
 * Return: 0; -EAGAIN: the index is not whole, or its files had changed so lately that it cannot be told whether they
 * have again; -EFBIG; -ENOMEM.
 */
int index_compose_image(const Index *x, void **ret, size_t *ret_size) {
        assert(x && ret && ret_size);

        if (!x->tree.origin.bytes)
                return -EAGAIN;
        return index_tree_compose(&x->tree, ret, ret_size);
}

bool index_is_young(const Index *x) {
        assert(x);

        return x->tree.complete && x->tree.whole && x->tree.young;
}

/* Gives back the memory of what was looked up; it is mapped again when it is needed. */
void index_rest(const Index *x) {
        assert(x);

        index_tree_rest(&x->tree);
}
