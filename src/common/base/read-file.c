/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ReadFile: whole files in memory. Owns nothing. */

#include "common/base/read-file.h"

#include <assert.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/file-access.h"
#include "common/base/util.h"

#define ROOM_AT_FIRST ((size_t) 4096)   /* for files that do not say how large they are, as in /proc */

/**
 * read_file_open() - open a file that can be read to its end without blocking
 *
 * That is a regular file, or /dev/null, which counts as an empty one.
 *
 * Return: a file descriptor; -EISDIR; -EBADF: it is something else; as file_access_open().
 */
int read_file_open(const char *path) {
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        assert(path);

        fd = file_access_open(path);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode) && !(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
                return -EBADF;
        return STEAL_FD(fd);
}

/*
 * Room for a file of the size that fstat(2) says, a NUL, and one byte that shows whether the file has grown
 * since.
 */
static size_t first_room(int fd, size_t size_max) {
        struct stat st;

        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
                return ROOM_AT_FIRST;
        return MIN((size_t) st.st_size, size_max) + 2;
}

/**
 * read_file() - read the rest of a file
 * @size_max: bytes that it may have
 * @ret:      the caller's to free; a NUL is behind its @ret_size bytes
 *
 * Return: 0; -EFBIG: it is larger than @size_max; -ENOMEM; what read(2) says.
 */
int read_file(int fd, size_t size_max, char **ret, size_t *ret_size) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0, allocated = 0;

        assert(fd >= 0 && ret && ret_size);

        for (;;) {
                ssize_t n;

                if (allocated - size < 2) {
                        size_t wanted = allocated > 0 ? MIN(2 * allocated, size_max + 2) : first_room(fd, size_max);
                        char *more = realloc(text, wanted);

                        if (!more)
                                return -ENOMEM;
                        text = more;
                        allocated = wanted;
                }
                n = read(fd, text + size, allocated - size - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t) n;
                if (size > size_max)
                        return -EFBIG;
        }

        text[size] = '\0';
        *ret = STEAL_PTR(text);
        *ret_size = size;
        return 0;
}
