/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ControlGroup: reads names of units and containers out of the paths of control groups. Owns nothing. */

#include "common/base/control-group.h"

#include <assert.h>
#include <stdio.h>

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

/* "kubepods/burstable/pod0123-ab/4567", which is what kubelet makes without systemd. */
static bool is_kubelets(const char *top, size_t top_n, const char *parent, size_t parent_n) {
        static const char first[] = "kubepods", pod[] = "pod";

        return top_n == sizeof(first) - 1 && strncmp(top, first, top_n) == 0 && parent_n > sizeof(pod) - 1 &&
               startswith(parent, pod);
}

/* @n: of @name that count. Return: without ".scope" or ".service". */
static size_t without_suffix(const char *name, size_t n) {
        static const char *const suffixes[] = { ".scope", ".service" };

        for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
                size_t k = strlen(suffixes[i]);

                if (n > k && strncmp(name + n - k, suffixes[i], k) == 0)
                        return n - k;
        }
        return n;
}

static int hex_digit(char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes what systemd does to names of units, in place: "\x2d" is "-". NUL and a line break stay as they are. */
static void unescape(char *name) {
        char *to = name;

        for (const char *from = name; *from; to++) {
                bool is_escape = from[0] == '\\' && from[1] == 'x';
                int high = is_escape ? hex_digit(from[2]) : -1, low = high >= 0 ? hex_digit(from[3]) : -1;

                if (low < 0 || high * 16 + low < ' ') {
                        *to = *from++;
                        continue;
                }
                *to = (char) (high * 16 + low);
                from += strlen("\\x00");
        }
        *to = '\0';
}

/**
 * control_group_container() - the container that a control group belongs to
 * @path: from the root of the control groups of the host
 * @ret:  the name of the control group that is the container's, unescaped and without ".scope" or ".service"; behind
 *        "UNIT/" if it is below that unit, which made it and named it; NULL: there is none
 *
 * The outermost one counts: what is below it is made and named by what runs in the container.
 *
 * Return: 0; -ENOMEM.
 */
int control_group_container(const char *path, char **ret) {
        const char *parent = "", *top = NULL, *unit = "";
        size_t n, parent_n = 0, top_n = 0, unit_n = 0;
        char *name;

        assert(path && ret);

        *ret = NULL;
        for (; (n = next_name(&path)) > 0; path += n) {
                if (!top) {
                        top = path;
                        top_n = n;
                }
                if (is_container(path, n, parent, parent_n) || is_kubelets(top, top_n, parent, parent_n))
                        break;
                if (unit_n == 0 && is_unit(path, n)) {
                        unit = path;
                        unit_n = n;
                }
                parent = path;
                parent_n = n;
        }
        if (n == 0)
                return 0;
        if (asprintf(&name, "%.*s%s%.*s", (int) unit_n, unit, unit_n > 0 ? "/" : "",
                     (int) without_suffix(path, n), path) < 0)
                return -ENOMEM;
        unescape(name);
        *ret = name;
        return 0;
}

/* Is it a container that was made, and so named, by a user's service manager, which takes no privilege? */
bool control_group_is_users(const char *container) {
        const char *unit_end;

        assert(container);

        unit_end = strstr(container, ".service/");
        return startswith(container, "user@") && unit_end && unit_end < strchr(container, '/');
}
