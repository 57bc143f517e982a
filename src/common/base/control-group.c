/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ControlGroup: reads names of units and containers out of the paths of control groups. Owns nothing. */

#include "common/base/control-group.h"

#include <assert.h>
#include <stdbool.h>

#include "common/base/util.h"

static bool is_unit(const char *name, size_t n) {
        static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

        for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
                size_t k = strlen(suffixes[i]);

                if (n > k && strncmp(name + n - k, suffixes[i], k) == 0)
                        return true;
        }
        return false;
}

static bool is_slice(const char *name, size_t n) {
        static const char suffix[] = ".slice";
        size_t k = sizeof(suffix) - 1;

        return n > k && strncmp(name + n - k, suffix, k) == 0;
}

/* The next name of a path. Return: its length; 0: there is none. */
static size_t next_name(const char **path) {
        *path += strspn(*path, "/");
        return strcspn(*path, "/");
}

/**
 * control_group_unit() - the unit of the system's manager that a control group belongs to
 * @path: from the root of the control groups
 * @ret:  NULL if it belongs to none
 *
 * The first name that is no slice, cg_path_get_unit() in systemd; a "_" in front of it hides a name of the kernel's.
 *
 * Return: 0; -ENOMEM.
 */
int control_group_unit(const char *path, char **ret) {
        size_t n;

        assert(path && ret);

        *ret = NULL;
        for (; (n = next_name(&path)) > 0; path += n) {
                const char *name = path + (*path == '_');
                size_t k = n - (*path == '_');

                if (is_slice(name, k))
                        continue;
                if (!is_unit(name, k))
                        return 0;
                *ret = strndup(name, k);
                return *ret ? 0 : -ENOMEM;
        }
        return 0;
}

/* What the usual managers of containers call their control groups: a prefix, or a directory above it. */
static bool is_container(const char *name, size_t n, const char *parent, size_t parent_n) {
        static const char *const prefixes[] = { "docker-",         "libpod-",      "cri-containerd-",
                                                "crio-",           "nerdctl-",     "machine-",
                                                "systemd-nspawn@", "lxc.payload.", "lxc.payload_" };
        static const char *const parents[] = { "docker", "lxc", "lxc.payload" };

        for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
                if (n > strlen(prefixes[i]) && startswith(name, prefixes[i]))
                        return true;
        for (size_t i = 0; i < ARRAY_LEN(parents); i++)
                if (parent_n == strlen(parents[i]) && strncmp(parent, parents[i], parent_n) == 0)
                        return true;
        return false;
}

/**
 * control_group_container() - the container that a control group belongs to
 * @ret: the name of the control group that is the container's, without ".scope" or ".service"; NULL: there is none
 *
 * Return: 0; -ENOMEM.
 */
int control_group_container(const char *path, char **ret) {
        static const char *const suffixes[] = { ".scope", ".service" };
        const char *parent = "", *found = NULL;
        size_t n, parent_n = 0, found_n = 0;

        assert(path && ret);

        *ret = NULL;
        for (; (n = next_name(&path)) > 0; path += n) {
                if (is_container(path, n, parent, parent_n)) {
                        found = path;   /* the innermost one counts */
                        found_n = n;
                }
                parent = path;
                parent_n = n;
        }
        if (!found)
                return 0;
        for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
                size_t k = strlen(suffixes[i]);

                if (found_n > k && strncmp(found + found_n - k, suffixes[i], k) == 0) {
                        found_n -= k;
                        break;
                }
        }
        *ret = strndup(found, found_n);
        return *ret ? 0 : -ENOMEM;
}
