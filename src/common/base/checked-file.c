/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * CheckedFile: see checked-file.h. Owns nothing. A path is followed once, when the file is opened, and all
 * checks are of the file descriptor: between the check of a name and its use, another file can get that
 * name.
 */

#include "common/base/checked-file.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/read-file.h"
#include "common/base/util.h"

/* Return: why the file is not to be read; NULL: it may be. */
static const char *find_objection(const struct stat *st, uid_t owner) {
        if (!S_ISREG(st->st_mode))
                return "it is no regular file";
        if (st->st_nlink > 1)
                return "it has a second name, by which others may write it";
        if (st->st_uid != owner && st->st_uid != 0)
                return "it belongs to another user";
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                return "others than its owner can write it";
        return NULL;
}

/**
 * checked_file_open() - open a file for reading, if only its owner can have written it
 * @dir_fd:     that @path is relative to, or AT_FDCWD
 * @owner:      who may own it, besides root
 * @ret_reason: why it was not opened; static
 *
 * It never blocks, not even at a FIFO without a writer.
 *
 * Return: a file descriptor; -ENOENT: there is no such file; -EBADMSG: the file is not to be read; what
 * open(2) says.
 */
int checked_file_open(int dir_fd, const char *path, uid_t owner, const char **ret_reason) {
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        assert(path && ret_reason);

        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0) {
                int error = errno;

                /* a link; a socket */
                *ret_reason = error == ELOOP ? "it is a link" : error == ENXIO ? "it is no regular file"
                                                                               : strerrordesc_np(error);
                return error == ELOOP || error == ENXIO ? -EBADMSG : -error;
        }
        *ret_reason = find_objection(&st, owner);
        return *ret_reason ? -EBADMSG : STEAL_FD(fd);
}

/**
 * checked_file_read() - read all of a file that checked_file_open() opens
 * @size_max: bytes that it may have
 * @ret:      its content and a NUL
 *
 * Return: 0; as checked_file_open(); -EBADMSG also for a file that is too large.
 */
int checked_file_read(int dir_fd, const char *path, uid_t owner, size_t size_max, char **ret, size_t *ret_size,
                      const char **ret_reason) {
        _cleanup_(closep) int fd = -EBADF;
        int r;

        assert(ret && ret_size);

        fd = checked_file_open(dir_fd, path, owner, ret_reason);
        if (fd < 0)
                return fd;
        r = read_file(fd, size_max, ret, ret_size);
        if (r < 0)
                *ret_reason = r == -EFBIG ? "it is too large" : strerrordesc_np(-r);
        return r == -EFBIG ? -EBADMSG : r;
}
