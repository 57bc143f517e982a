/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LoaderFile: see loader-file.h. Owns nothing. */

#include "daemon/privileged/request/loader-file.h"

#include <assert.h>
#include <limits.h>

#include "common/base/module-file.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/base/root-file.h"
#include "common/base/util.h"

/**
 * loader_open_module() - open a module file, if module_file_find() finds it
 * @base: the module root of this system, such as /lib/modules; symbolic links in it are followed
 *
 * Its place, type and owner are checked before it is opened for reading.
 *
 * Return: a file descriptor; as module_file_find(); what open(2) said.
 */
int loader_open_module(const char *base, const char *path) {
        _cleanup_(closep) int found = -EBADF;

        assert(base && path);

        found = module_file_find("", base, path);
        return found < 0 ? found : root_file_reopen(found);
}

/**
 * loader_file_is_called() - is it the file that modprobe would load for this module?
 * @module: normalised
 *
 * Root wrote the parameters of a request for @module; another module must not get them.
 */
bool loader_file_is_called(const char *path, const char *module) {
        char name[NAME_MAX + 1];

        assert(path && module);

        (void) module_name_of_path(path, strlen(path), name, sizeof(name));
        return streq(name, module);
}

/**
 * loader_open_requested() - open the file of a request, if it has the name of its module
 *
 * Return: a file descriptor; -EPERM with a refusal; as loader_open_module().
 */
int loader_open_requested(const LoaderRequest *request, LoaderRefusal *ret_refusal) {
        int fd;

        assert(request && ret_refusal);

        if (!loader_file_is_called(request->path, request->module)) {
                *ret_refusal = LOADER_REFUSED_NAME;
                return -EPERM;
        }
        fd = loader_open_module(MODULE_ROOT, request->path);
        if (fd == -EPERM)
                *ret_refusal = LOADER_REFUSED_FILE;
        return fd;
}
