/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleBuild: see module-build.h. Owns its strings. The build ID is a hash of what the linker wrote, so it differs
 * whenever anything does; srcversion is a sum of the source files, and the same for builds of the same source.
 */

#include "cli/machine/module-build.h"

#include <assert.h>

#include "cli/machine/attribute.h"
#include "common/base/read-file.h"
#include "common/module/module-elf.h"

#define NOTES_MAX ((size_t) 64 << 10)

/* Return: 0, also if there is none; -ENOMEM. */
static int read_attribute(const char *directory, const char *name, char **ret) {
        int r = attribute_new(directory, name, ret);

        return r == -ENOMEM ? r : 0;
}

static int read_notes(const char *directory, char **ret) {
        _cleanup_(freep) char *path = NULL, *notes = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size;
        int r;

        if (asprintf(&path, "%s/notes/.note.gnu.build-id", directory) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = read_file_open(path);
        r = fd >= 0 ? read_file(fd, NOTES_MAX, &notes, &size) : fd;
        if (r >= 0)
                r = build_id_of_notes(notes, size, ret);
        return r == -ENOMEM ? r : 0;
}

/**
 * module_build_of_kernel() - the build of a module in the kernel
 * @ret: to be cleared, also after a failure; empty if the module is not there
 *
 * Return: 0; -ENOMEM.
 */
int module_build_of_kernel(const Machine *machine, const char *module, ModuleBuild *ret) {
        _cleanup_(freep) char *directory = NULL;
        int r;

        assert(machine && module && ret);

        *ret = (ModuleBuild) {};
        if (asprintf(&directory, "%s/module/%s", machine->sys, module) < 0) {
                directory = NULL;
                return -ENOMEM;
        }
        r = read_attribute(directory, "version", &ret->version);
        if (r >= 0)
                r = read_attribute(directory, "srcversion", &ret->srcversion);
        return r < 0 ? r : read_notes(directory, &ret->build_id);
}

static int take_info(const ModuleElf *elf, const char *key, char **ret) {
        size_t at = 0;
        const char *value = module_elf_info(elf, key, &at);

        if (!value)
                return 0;
        *ret = strdup(value);
        return *ret ? 0 : -ENOMEM;
}

/**
 * module_build_of_file() - the build of a module file
 * @ret: to be cleared, also after a failure
 *
 * Return: as module_elf_new().
 */
int module_build_of_file(const char *path, ModuleBuild *ret) {
        _cleanup_(module_elf_freep) ModuleElf *elf = NULL;
        int r;

        assert(path && ret);

        *ret = (ModuleBuild) {};
        r = module_elf_new(&elf, path);
        if (r >= 0)
                r = take_info(elf, "version", &ret->version);
        if (r >= 0)
                r = take_info(elf, "srcversion", &ret->srcversion);
        if (r >= 0)
                r = module_elf_build_id(elf, &ret->build_id);
        return r == -ENODATA ? 0 : r;
}

BuildMatch module_build_compare(const ModuleBuild *a, const ModuleBuild *b) {
        assert(a && b);

        if (a->build_id && b->build_id)
                return streq(a->build_id, b->build_id) ? BUILD_SAME : BUILD_OTHER;
        if (a->srcversion && b->srcversion)
                return streq(a->srcversion, b->srcversion) ? BUILD_SAME : BUILD_OTHER;
        if (a->version && b->version && !streq(a->version, b->version))
                return BUILD_OTHER;
        return BUILD_UNKNOWN;
}

void module_build_clear(ModuleBuild *b) {
        assert(b);

        free(b->version);
        free(b->srcversion);
        free(b->build_id);
        *b = (ModuleBuild) {};
}
