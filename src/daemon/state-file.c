/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* StateFile: how files in /run/lkmd/state are written, where nobody but lkmd writes. Owns nothing. */

#include "daemon/state-file.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/util.h"

/**
 * state_file_open() - an empty file to write to, mode 0644 whatever the umask is
 *
 * Return: 0 or why not.
 */
int state_file_open(const char *path, FILE **ret) {
        _cleanup_(closep) int fd = -EBADF;
        FILE *f;

        assert(path && ret);

        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        if (fchmod(fd, 0644) < 0)
                return -errno;
        f = fdopen(fd, "w");
        if (!f)
                return -errno;

        STEAL_FD(fd);
        *ret = f;
        return 0;
}

/**
 * state_file_replace() - put a text into a file, at one stroke
 *
 * Return: 0, or why it could not be written, with the file as before.
 */
int state_file_replace(const char *path, const char *text, size_t size) {
        _cleanup_(freep) char *temporary = NULL;
        _cleanup_(fclosep) FILE *f = NULL;
        int r;

        assert(path && (text || size == 0));

        if (asprintf(&temporary, "%s.new", path) < 0) {
                temporary = NULL;
                return -ENOMEM;
        }
        r = state_file_open(temporary, &f);
        if (r < 0)
                return r;
        if (fwrite(text, 1, size, f) != size || fflush(f) != 0 || rename(temporary, path) < 0) {
                r = errno > 0 ? -errno : -EIO;
                (void) unlink(temporary);
                return r;
        }
        return 0;
}
