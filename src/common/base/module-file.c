/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleFile: the one rule of which file may be loaded. Its path is written as below the directory of modules, and
 * whatever leads to it belongs to root. A link there may lead elsewhere (dkms, NixOS), if the way to its target leads
 * only through directories in which nobody but root can create a name. Owns nothing.
 */

#include "common/base/module-file.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/base/root-file.h"
#include "common/base/util.h"

/*
 * depmod looks into no directory of these names: they are links to the sources of the kernel, with whatever root has
 * compiled there.
 */
static bool is_no_module_directory(const char *name, size_t n) {
        return (n == strlen("build") && strncmp(name, "build", n) == 0) ||
               (n == strlen("source") && strncmp(name, "source", n) == 0) ||
               (n == 2 && strncmp(name, "..", n) == 0);
}

/* Is @path below @base as it is written, and only by way of directories that depmod searches? */
static bool is_written_below(const char *base, const char *path) {
        const char *name = path + strlen(base);

        if (!startswith(path, base) || *name != '/')
                return false;
        while (*name) {
                size_t n;

                name += strspn(name, "/");
                n = strcspn(name, "/");
                if (is_no_module_directory(name, n))
                        return false;
                name += n;
        }
        return true;
}

/* Return: 1 if the file is below @base, 0 if not. No link of /proc was followed, so it is in this mount namespace. */
static int lies_below(int fd, const char *base) {
        char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)], name[PATH_MAX];
        size_t n_base = strlen(base);
        ssize_t n;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, name, sizeof(name) - 1);
        if (n < 0)
                return -errno;
        name[n] = '\0';
        return startswith(name, base) && name[n_base] == '/';
}

/* The owner of another root counts as root there, so that an image can be looked at before it is one. */
static int make_rules(const char *root, RootFileRules *ret) {
        struct stat st;

        *ret = (RootFileRules) {};
        if (root[0] == '\0')
                return 0;
        if (stat(root, &st) < 0)
                return -errno;
        *ret = (RootFileRules) { .root = root, .owner = st.st_uid };
        return 0;
}

/* @real_base: without links. Return: as module_file_find(). */
static int find_below(RootFileRules *rules, const char *real_base, const char *path) {
        _cleanup_(closep) int found = -EBADF;
        int below, r;

        found = root_file_find_by(rules, path);
        if (found < 0)
                return found;
        below = lies_below(found, real_base);
        if (below == 0) {
                closep(&found);
                rules->strict = true;
                found = root_file_find_by(rules, path);
        }
        if (below < 0 || found < 0)
                return below < 0 ? below : found;
        r = root_file_check_by(rules, found);
        return r < 0 ? r : STEAL_FD(found);
}

/**
 * module_file_find() - find a module file by the rules of lkmd-loader
 * @root: "", or the directory that counts as the root
 * @base: the directory of modules below it, such as /lib/modules
 * @path: absolute, begins with @root
 *
 * Return: an O_PATH descriptor; -EXDEV for a path that is written as lying elsewhere, or leads into /proc; -EINVAL for
 * what is no regular file; -EPERM if others than root could have written it or have led there; what open(2) said.
 */
int module_file_find(const char *root, const char *base, const char *path) {
        _cleanup_(freep) char *whole_base = NULL, *real_base = NULL;
        RootFileRules rules;
        int r;

        assert(root && base && path);

        if (asprintf(&whole_base, "%s%s", root, base) < 0) {
                whole_base = NULL;
                return -ENOMEM;
        }
        real_base = realpath(whole_base, NULL);
        if (!real_base)
                return -errno;
        if (!is_written_below(whole_base, path) && (root[0] != '\0' || !is_written_below(real_base, path)))
                return -EXDEV;
        r = make_rules(root, &rules);
        return r < 0 ? r : find_below(&rules, real_base, path + strlen(root));
}
