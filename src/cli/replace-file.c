/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ReplaceFile: a file is written beside the old one and put in its place when it is complete. Its temporary
 * name begins with a dot and has an ending of its own, so that whoever reads all *.prom of a directory
 * leaves it alone.
 */

#include "cli/replace-file.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/util.h"

static int write_all(int fd, const char *text, size_t n) {
        while (n > 0) {
                ssize_t written = write(fd, text, n);

                if (written < 0 && errno != EINTR)
                        return -errno;
                if (written > 0) {
                        text += written;
                        n -= (size_t) written;
                }
        }
        return 0;
}

static int write_temporary(char *template, const char *text, size_t n) {
        _cleanup_(closep) int fd = mkostemp(template, O_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        r = write_all(fd, text, n);
        if (r >= 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
                r = -errno;
        if (r < 0)
                (void) unlink(template);
        return r;
}

/**
 * replace_file() - put a text into a file, at one stroke
 * @path: may exist as a regular file; anything else there, a link or a device for one, is nothing to replace
 *
 * The file has mode 0644 whatever the umask is: others are to read it.
 *
 * Return: 0; -ENOTSUP if something else is there; or why it could not be written, with all as before.
 */
int replace_file(const char *path, const char *text, size_t n) {
        _cleanup_(freep) char *temporary = NULL;
        const char *slash, *base;
        struct stat st;
        int r;

        assert(path && (text || n == 0));

        slash = strrchr(path, '/');
        base = slash ? slash + 1 : path;
        if (*base == '\0')
                return -ENOTSUP;        /* a directory */
        if (lstat(path, &st) >= 0) {
                if (!S_ISREG(st.st_mode))
                        return -ENOTSUP;
        } else if (errno != ENOENT)
                return -errno;

        if (asprintf(&temporary, "%.*s.%s.XXXXXX", (int) (base - path), path, base) < 0) {
                temporary = NULL;
                return -ENOMEM;
        }
        r = write_temporary(temporary, text, n);
        if (r < 0)
                return r;
        if (rename(temporary, path) < 0) {
                r = -errno;
                (void) unlink(temporary);
        }
        return r;
}
