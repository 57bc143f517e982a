/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Doctor: see doctor.h. How the checks look at files, wherever those are. */

#include "cli/doctor/doctor.h"

#include <assert.h>
#include <fcntl.h>

#include "common/base/read-file.h"

#define FILE_MAX ((size_t) 4 << 20)

/* The path as this machine has it, or a test. */
void doctor_path(const Doctor *d, const char *path, char ret[static PATH_MAX]) {
        assert(d && path);

        (void) snprintf(ret, PATH_MAX, "%s%s", d->root, path);
}

/* Is there a file, a directory or a link of this name? */
bool doctor_has(const Doctor *d, const char *path) {
        char full[PATH_MAX];

        doctor_path(d, path, full);
        return faccessat(AT_FDCWD, full, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

/* Where the link leads, if it is one. */
bool doctor_link(const Doctor *d, const char *path, char ret[static PATH_MAX]) {
        char full[PATH_MAX];
        ssize_t n;

        doctor_path(d, path, full);
        n = readlink(full, ret, PATH_MAX - 1);
        if (n < 0)
                return false;
        ret[n] = '\0';
        return true;
}

/* Return: 0 with the text of a file; what opening and reading it says. */
int doctor_read(const Doctor *d, const char *path, char **ret) {
        _cleanup_(closep) int fd = -EBADF;
        char full[PATH_MAX];
        size_t size;

        doctor_path(d, path, full);
        fd = read_file_open(full);
        return fd < 0 ? fd : read_file(fd, FILE_MAX, ret, &size);
}

/* Does it answer? */
bool doctor_lkmd_runs(const Doctor *d) {
        assert(d);

        return d->asker->status != NULL;
}
