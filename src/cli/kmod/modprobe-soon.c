/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What modprobe answers by itself: which modules a name means, and that they are in the kernel already. Opening
 * libkmod takes longer than either. Where the configuration is not as it should be, or a look-up differs from
 * kmod's on purpose, it is left to libkmod, which also says what is wrong.
 */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/kmod/modprobe.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/base/problem-list.h"
#include "common/base/string-list.h"
#include "common/index/index-direct.h"

#define KEY_MAX 1024U                   /* bytes; where a key is as long as all of kmod's buffer, it differs */

static int on_match(const char *name, void *userdata) {
        return string_list_append(userdata, name, strlen(name));
}

/* Would kmod, which opens all of depmod's files, have nothing to say about them? */
bool modprobe_files_are_sound(const char *directory) {
        static const char *const files[] = { "dep", "alias", "symbols", "builtin", "builtin.alias" };
        static const unsigned char magic[] = { 0xb0, 0x07, 0xf4, 0x57, 0x00, 0x02 };

        for (size_t i = 0; i < ARRAY_LEN(files); i++) {
                unsigned char head[sizeof(magic)];
                _cleanup_(closep) int fd = -EBADF;
                char path[PATH_MAX];

                if ((size_t) snprintf(path, sizeof(path), "%s/modules.%s.bin", directory, files[i]) >=
                    sizeof(path))
                        return false;
                fd = open(path, O_RDONLY | O_CLOEXEC);
                if (fd >= 0 && (read(fd, head, sizeof(head)) != sizeof(head) ||
                                memcmp(head, magic, sizeof(magic)) != 0))
                        return false;
        }
        return true;
}

/* Return: 0 with the modules, in kmod's order; -ENODATA: it is left to libkmod; another negative errno. */
static int look_up(const Modprobe *m, const char *name, char ***ret) {
        _cleanup_(index_direct_freep) IndexDirect *index = NULL;
        _cleanup_(problem_list_clear) ProblemList problems = {};
        _cleanup_(string_list_freep) char **modules = NULL;
        char directory[sizeof(MODULE_ROOT) + sizeof(struct utsname)];
        struct utsname u;
        int r;

        if (uname(&u) < 0)
                return -errno;
        (void) snprintf(directory, sizeof(directory), MODULE_ROOT "/%s", u.release);
        if (!modprobe_files_are_sound(m->module_dir ?: directory))
                return -ENODATA;
        r = index_direct_new(&index, m->module_dir ?: directory, m->options.config_paths, &problems);
        if (r >= 0 && problems.n_items == 0)
                r = index_direct_lookup(index, name, on_match, &modules);
        if (r < 0)
                return r;
        if (problems.n_items > 0 || !modules)
                return -ENODATA;
        *ret = STEAL_PTR(modules);
        return 0;
}

/* Has its init returned? A module that is built in has no such file. */
static bool is_live(const char *module) {
        char path[NAME_MAX + 32], text[8] = "";
        _cleanup_(closep) int fd = -EBADF;

        if ((size_t) snprintf(path, sizeof(path), "/sys/module/%s/initstate", module) >= sizeof(path))
                return false;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && startswith(text, "live");
}

/**
 * modprobe_answer_soon() - do what takes neither lkmd nor libkmod
 *
 * A load of what is in the kernel already is done, whatever denies the module now.
 */
bool modprobe_answer_soon(Modprobe *m, const char *name) {
        const ModprobeOptions *o = &m->options;
        _cleanup_(string_list_freep) char **modules = NULL;

        assert(m && name);

        if (m->ctx || modprobe_is_path(name) || strlen(name) > KEY_MAX ||
            (!o->resolve && (o->ignore_loaded || o->first_time)) || look_up(m, name, &modules) < 0)
                return false;
        for (char **module = modules; !o->resolve && *module; module++)
                if (!is_live(*module))
                        return false;
        for (char **module = modules; o->resolve && *module; module++)
                (void) puts(*module);
        return true;
}
