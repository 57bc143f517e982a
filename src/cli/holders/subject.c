/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Subject: see subject.h. The aliases of a module say most of what belongs to it: file systems, majors of devices,
 * kinds of interfaces. They are in modules.alias, which depmod makes; without that file, names have to do.
 */

#include "cli/holders/subject.h"

#include <assert.h>

#include "cli/machine/attribute.h"
#include "cli/machine/module-drivers.h"
#include "cli/machine/proc-file.h"
#include "common/base/array.h"
#include "common/base/glob.h"
#include "common/base/module-name.h"
#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/base/string-list.h"

#define ALIAS_WORDS 3U                  /* "alias PATTERN MODULE" */
#define KEY_MAX 128U                    /* bytes of an alias that is asked for */

static int read_aliases(Subject *s) {
        _cleanup_(freep) char *release = NULL, *text = NULL, *kernel = NULL;
        char *rest, *line, *words[ALIAS_WORDS];
        int r;

        r = hold_text(&kernel, "%s/sys/kernel", s->proc);
        if (r >= 0)
                r = attribute_new(kernel, "osrelease", &release);
        if (r >= 0)
                r = proc_file_new(&text, "%s" MODULE_ROOT "/%s/modules.alias", s->root, release);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (rest = text; (line = proc_file_line(&rest));) {
                size_t n = strlen(line), k = strlen(s->module);

                if (n <= k || !module_name_equal(line + n - k, s->module, k) || line[n - k - 1] != ' ' ||
                    proc_line_split(line, words, ALIAS_WORDS) != ALIAS_WORDS)
                        continue;
                r = string_list_append(&s->aliases, words[1], strlen(words[1]));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Rows of /proc/net/protocols: name, size, sockets, memory, pressure, header, slab, module, .. */
static int read_protocols(Subject *s) {
        _cleanup_(freep) char *text = NULL;
        char *rest, *line, *words[8];
        int r;

        r = proc_file_new(&text, "%s/net/protocols", s->proc);
        for (rest = text; r >= 0 && (line = proc_file_line(&rest));)
                if (proc_line_split(line, words, ARRAY_LEN(words)) == ARRAY_LEN(words) &&
                    streq(words[7], s->module))
                        r = string_list_append(&s->protocols, words[0], strlen(words[0]));
        return r == -ENOMEM ? r : 0;
}

/**
 * subject_new() - begin to look for what holds a module
 * @root:   what "/" is; "": the real one
 * @module: its name, with '-' or '_'
 *
 * Return: 0; -ENOENT: it is not in the kernel; -ENODATA: it is part of the kernel image; -ENAMETOOLONG, -EINVAL: no
 * module has such a name; -ENOMEM.
 */
int subject_new(Subject **ret, const char *root, const char *module) {
        _cleanup_(subject_freep) Subject *s = NULL;
        _cleanup_(freep) char *directory = NULL;
        char name[MODULE_NAME_MAX + 1];
        int r;

        assert(ret && root && module);

        r = module_name_normalize(module, name, sizeof(name));
        if (r < 0)
                return r;
        if (*name == '\0' || *name == '.' || strchr(name, '/'))
                return -EINVAL;
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->root = strdup(root);
        s->module = strdup(name);
        if (!s->root || !s->module)
                return -ENOMEM;
        r = hold_text(&s->proc, "%s/proc", root);
        if (r >= 0)
                r = hold_text(&s->sys, "%s/sys", root);
        if (r >= 0)
                r = hold_text(&directory, "%s/module/%s", s->sys, name);
        if (r < 0)
                return r;
        if (access(directory, F_OK) < 0)
                return -ENOENT;
        r = attribute_unsigned(directory, "refcnt", &s->n_references);
        if (r < 0)
                return r == -ENOMEM ? r : access(directory, F_OK) < 0 ? -ENOENT : -ENODATA;

        r = read_aliases(s);
        if (r >= 0)
                r = module_devices_new(s->sys, name, &s->bound);
        if (r >= 0)
                r = read_protocols(s);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(s);
        return 0;
}

static void spaces_free(Space *spaces, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(spaces[i].path);
                free(spaces[i].name);
        }
        free(spaces);
}

/* Return: NULL. */
Subject *subject_free(Subject *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n_devices; i++)
                free(s->devices[i].path);
        free(s->devices);
        spaces_free(s->mount_spaces, s->n_mount_spaces);
        spaces_free(s->net_spaces, s->n_net_spaces);
        string_list_free(s->aliases);
        string_list_free(s->bound);
        string_list_free(s->protocols);
        holds_clear(&s->holds);
        free(s->superblocks);
        free(s->root);
        free(s->proc);
        free(s->sys);
        free(s->module);
        free(s);
        return NULL;
}

/* Does the module have the alias @prefix@name? */
bool subject_has_alias(const Subject *s, const char *prefix, const char *name) {
        char key[KEY_MAX];

        assert(s && prefix && name);

        if (snprintf(key, sizeof(key), "%s%s", prefix, name) >= (int) sizeof(key))
                return false;
        for (char **alias = s->aliases; alias && *alias; alias++)
                if (glob_match(*alias, key))
                        return true;
        return false;
}

/* Is @prefix@name the module's name? */
bool subject_is_named(const Subject *s, const char *prefix, const char *name) {
        char key[KEY_MAX];
        int n;

        assert(s && prefix && name);

        n = snprintf(key, sizeof(key), "%s%s", prefix, name);
        return n > 0 && (size_t) n == strlen(s->module) && module_name_equal(key, s->module, (size_t) n);
}

/* Is a device one of those bound to the module, or below one? @path: below /sys. */
bool subject_is_below(const Subject *s, const char *path) {
        assert(s && path);

        for (char **device = s->bound; device && *device; device++) {
                size_t n = strlen(*device);

                if (strncmp(path, *device, n) == 0 && (path[n] == '/' || path[n] == '\0'))
                        return true;
        }
        return false;
}

/* Return: NULL: it is not the module's. */
const OwnDevice *subject_find_device(const Subject *s, bool block, dev_t number) {
        assert(s);

        for (size_t i = 0; i < s->n_devices; i++)
                if (s->devices[i].block == block && s->devices[i].number == number)
                        return s->devices + i;
        return NULL;
}

const char *own_device_name(const OwnDevice *d) {
        const char *slash;

        assert(d);

        slash = strrchr(d->path, '/');
        return slash ? slash + 1 : d->path;
}

/**
 * subject_add_space() - remember a name space, unless it is known
 *
 * Return: 1: it was not known; 0; -ENOMEM.
 */
int subject_add_space(Space **spaces, size_t *n, uint64_t inode, pid_t pid, const char *path,
                      const char *name) {
        Space space = { .inode = inode, .pid = pid };

        assert(spaces && n && path);

        for (size_t i = 0; i < *n; i++)
                if ((*spaces)[i].inode == inode)
                        return 0;
        if (array_grow(spaces, *n, sizeof(**spaces)) < 0)
                return -ENOMEM;
        space.path = strdup(path);
        space.name = name ? strdup(name) : NULL;
        if (!space.path || (name && !space.name)) {
                free(space.path);
                free(space.name);
                return -ENOMEM;
        }
        (*spaces)[(*n)++] = space;
        return 1;
}
