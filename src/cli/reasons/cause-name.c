/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CauseName: see cause-name.h. The more that is known of the reason, the earlier it is looked for. Owns nothing. */

#include "cli/reasons/cause-name.h"

#include <assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>

#include "cli/offline/suggestion.h"
#include "common/base/module-name.h"
#include "common/base/read-file.h"
#include "common/explain/failure-text.h"
#include "common/index/index-lookup.h"
#include "common/module/packed-file.h"

#define CONFIG_MAX ((size_t) 4 << 20)   /* bytes of the configuration of a kernel, which has some 300 KiB */

static bool is_alias(const char *key) {
        return strchr(key, ':') != NULL;
}

/* -------------------------------------------------------------------------------------------- the module directory */

static int on_no_index(const Inquiry *q, Cause *ret) {
        const char *directory = index_get_module_dir(q->index);

        if (index_is_complete(q->index))
                return 0;
        if (access(directory, F_OK) < 0)
                return cause_make(
                        ret, CAUSE_NO_INDEX, NULL, "ls /lib/modules; reboot into a kernel that has modules",
                        "the modules of the running kernel are not installed any more: %s does not exist",
                        directory);
        return cause_make(ret, CAUSE_NO_INDEX, NULL, "depmod -a", NO_INDEX_TEXT, directory);
}

/* ---------------------------------------------------------------------------------------------- depmod has not run */

typedef struct Walk {
        const char *name;               /* of a module to find; NULL: any */
        struct timespec since;          /* when modules.dep.bin was written */
        char *found;                    /* owned */
        size_t n_newer;
} Walk;

static bool is_later(const struct timespec *a, const struct timespec *b) {
        return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* Return: 0; -ENOMEM. */
static int look_at_file(Walk *w, const FTSENT *e) {
        char name[MODULE_NAME_MAX + 1];
        const struct timespec *changed = &e->fts_statp->st_ctim;

        if (!suggestion_from_file(e->fts_name, name))
                return 0;
        if (w->name ? !streq(w->name, name) : !is_later(changed, &w->since))
                return 0;
        w->n_newer++;
        if (w->found)
                return 0;
        w->found = strdup(e->fts_path);
        return w->found ? 0 : -ENOMEM;
}

static int walk_files(Walk *w, const char *directory) {
        char *roots[] = { (char *) directory, NULL };
        FTS *walk;
        FTSENT *e;
        int r = 0;

        walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        if (!walk)
                return errno == ENOMEM ? -ENOMEM : 0;
        while (r >= 0 && (e = fts_read(walk)))
                if (e->fts_info == FTS_F || e->fts_info == FTS_SL)
                        r = look_at_file(w, e);
        (void) fts_close(walk);
        return r;
}

/* A file of that name, or for an alias files that are newer than the index: depmod has to run. */
static int on_stale_index(const Inquiry *q, Cause *ret) {
        const char *directory = index_get_module_dir(q->index);
        _cleanup_(freep) char *index_file = NULL;
        char name[MODULE_NAME_MAX + 1];
        Walk w = {};
        struct stat st;
        int r;

        if (!is_alias(q->key)) {
                if (module_name_normalize(q->key, name, sizeof(name)) < 0)
                        return 0;       /* no module can be called so */
                w.name = name;
        }
        if (asprintf(&index_file, "%s/modules.dep.bin", directory) < 0) {
                index_file = NULL;
                return -ENOMEM;
        }
        if (stat(index_file, &st) < 0)
                return 0;
        w.since = st.st_mtim;
        r = walk_files(&w, directory);
        if (r >= 0 && w.found && w.name)
                r = cause_make(ret, CAUSE_INDEX_STALE, w.name, "depmod -a",
                               "modules.dep does not know of %s: depmod has not run since it was put there",
                               w.found);
        else if (r >= 0 && w.found)
                r = cause_make(
                        ret, CAUSE_INDEX_STALE, NULL, "depmod -a",
                        "no module that modules.alias knows is for %s, but %zu module file%s newer, such as %s",
                        q->key, w.n_newer, w.n_newer == 1 ? " is" : "s are", w.found);
        free(w.found);
        return r;
}

/* ------------------------------------------------------------------------------------------------- another kernel */

/* Return: 1: the modules of that kernel have it; 0; -ENOMEM. */
static int kernel_has(const Inquiry *q, const char *root, const char *release) {
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(index_answer_clear) IndexAnswer answer = {};
        _cleanup_(index_unrefp) const Index *index = NULL;
        int r;

        r = index_new(&index, &(IndexSources) { .root = root, .release = release }, &problems);
        if (r >= 0)
                r = index_lookup(index, q->key, &answer);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; i < answer.n_matches; i++)
                if (answer.matches[i].module)
                        return 1;
        return 0;
}

static int by_version_down(const struct dirent **a, const struct dirent **b) {
        return strverscmp((*b)->d_name, (*a)->d_name);
}

static int on_other_kernel(const Inquiry *q, Cause *ret) {
        static const char root_ending[] = "/lib/modules";
        _cleanup_(freep) char *root = NULL;
        struct dirent **entries = NULL;
        int n, r = 0;

        if (!endswith(q->machine->modules, root_ending))
                return 0;
        root = strndup(q->machine->modules, strlen(q->machine->modules) - strlen(root_ending));
        if (!root)
                return -ENOMEM;
        n = scandir(q->machine->modules, &entries, NULL, by_version_down);
        for (int i = 0; i < n; i++) {
                const char *release = entries[i]->d_name;

                if (r == 0 && release[0] != '.' && !streq(release, index_get_release(q->index)) &&
                    index_release_is_valid(release)) {
                        r = kernel_has(q, root, release);
                        if (r > 0)
                                r = cause_make(
                                        ret, CAUSE_OTHER_KERNEL, NULL, "reboot into that kernel",
                                        "this kernel, %s, has no module for '%s', but the kernel %s has one",
                                        index_get_release(q->index), q->key, release);
                }
                free(entries[i]);
        }
        free(entries);
        return r;
}

/* ------------------------------------------------------------------------------ the configuration of the kernel */

/* Return: 0; -ENOENT: there is none; -ENOMEM; what read(2) says. */
static int read_config(const Inquiry *q, char **ret_path, char **ret) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int fd = -EBADF, unpacked = -EBADF;
        size_t size;
        int r;

        if (asprintf(&path, "%s/config-%s", q->machine->boot, q->machine->release) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = read_file_open(path);
        if (fd < 0) {
                free(path);
                path = NULL;
                if (asprintf(&path, "%s/config.gz", q->machine->proc) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                fd = read_file_open(path);
                if (fd < 0)
                        return fd;
                unpacked = packed_file_unpack(fd);
                if (unpacked < 0)
                        return unpacked;
                if (lseek(unpacked, 0, SEEK_SET) < 0)
                        return -errno;
        }
        r = read_file(unpacked >= 0 ? unpacked : fd, CONFIG_MAX, ret, &size);
        if (r >= 0)
                *ret_path = STEAL_PTR(path);
        return r;
}

/*
 * The option that most likely is that of a module: CONFIG_NAME, or else one that ends with _NAME, as
 * CONFIG_DRM_NOUVEAU.
 * Return: 'y', 'm' or 'n'; 0: there is none.
 */
static char find_option(const char *config, const char *name, char *ret, size_t size) {
        char wanted[MODULE_NAME_MAX + 1], value = 0;
        size_t n = strlen(name);

        for (size_t i = 0; i <= n; i++)
                wanted[i] = (char) toupper((unsigned char) name[i]);
        for (const char *line = config; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                const char *option = startswith(line, "# CONFIG_") ? line + 2 : line, *end;
                bool exact, unset;

                if (!startswith(option, "CONFIG_"))
                        continue;
                end = option + strcspn(option, " =\n");
                unset = startswith(end, " is not set");
                if ((!unset && *end != '=') || (size_t) (end - option) < strlen("CONFIG_") + n ||
                    strncmp(end - n, wanted, n) != 0 || end[-(ssize_t) n - 1] != '_')
                        continue;
                exact = (size_t) (end - option) == strlen("CONFIG_") + n;
                if (value && !exact)
                        continue;
                value = unset ? 'n' : end[1];
                (void) snprintf(ret, size, "%.*s", (int) (end - option), option);
                if (exact)
                        break;
        }
        return value == 'y' || value == 'm' || value == 'n' ? value : 0;
}

static int on_kernel_config(const Inquiry *q, Cause *ret) {
        _cleanup_(freep) char *path = NULL, *config = NULL;
        char name[MODULE_NAME_MAX + 1], option[128] = "";
        int r;

        if (is_alias(q->key) || module_name_normalize(q->key, name, sizeof(name)) < 0 || name[0] == '\0')
                return 0;
        r = read_config(q, &path, &config);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        switch (find_option(config, name, option, sizeof(option))) {
        case 'y':
                return cause_make(
                        ret, CAUSE_NO_SUCH_MODULE, NULL, NULL,
                        "no module is called '%s', but %s has %s=y: it is probably a part of the kernel itself",
                        q->key, path, option);
        case 'm':
                return cause_make(
                        ret, CAUSE_NOT_INSTALLED, NULL,
                        "install the other modules of this kernel (Debian and Ubuntu: linux-modules-extra-$(uname -r); "
                        "Fedora: kernel-modules-extra), then depmod -a",
                        "this kernel was built with '%s' as a module (%s=m in %s), but it is not in %s",
                        q->key, option, path, index_get_module_dir(q->index));
        case 'n':
                return cause_make(
                        ret, CAUSE_NOT_BUILT, NULL,
                        "install a kernel that has it, or a package with the module alone, such as one of dkms",
                        "this kernel was built without '%s': %s is not set in %s", q->key, option, path);
        default:
                return 0;
        }
}

static int on_unknown(const Inquiry *q, Cause *ret) {
        _cleanup_(freep) char *suggestion = NULL;
        int r;

        if (is_alias(q->key))
                return cause_make(ret, CAUSE_NO_SUCH_MODULE, NULL,
                                  "look for a newer kernel, or for a package with a driver; then depmod -a",
                                  "no module of this kernel, %s, is for %s", index_get_release(q->index),
                                  q->key);
        r = suggestion_find(q->index, q->key, &suggestion);
        if (r < 0)
                return r;
        return cause_make(ret, CAUSE_NO_SUCH_MODULE, NULL, NO_SUCH_MODULE_HINT, NO_SUCH_MODULE_TEXT "%s%s%s",
                          q->key, index_get_module_dir(q->index), suggestion ? ", did you mean '" : "",
                          suggestion ?: "", suggestion ? "'?" : "");
}

/* Return: 1, since there always is one; -ENOMEM. */
int cause_of_name(const Inquiry *q, Cause *ret) {
        static const cause_look_t looks[] = {
                on_stale_index, on_other_kernel, on_kernel_config,
        };
        int r;

        assert(q && ret);

        r = on_no_index(q, ret);
        for (size_t i = 0; r == 0 && !q->brief && i < ARRAY_LEN(looks); i++)
                r = looks[i](q, ret);
        return r == 0 ? on_unknown(q, ret) : r;
}
