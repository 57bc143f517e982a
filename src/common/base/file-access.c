/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FileAccess: see file-access.h. The helper belongs to the process, as its rights do: it is set once, at the start,
 * and only lkmd has one. Borrows its userdata.
 */

#include "common/base/file-access.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>

#include "common/base/util.h"

static file_access_helper_t the_helper;
static void *the_userdata;

/* @helper: NULL: there is none any more. */
void file_access_set_helper(file_access_helper_t helper, void *userdata) {
        the_helper = helper;
        the_userdata = userdata;
}

static int ask_helper(const char *path, int watch_fd) {
        return the_helper && path[0] == '/' ? the_helper(path, watch_fd, the_userdata) : -EACCES;
}

/**
 * file_access_open() - open a file for reading, without waiting for a FIFO and without becoming a terminal's
 *
 * Return: a file descriptor; -EACCES: neither this process nor the helper may read it; what open(2) says.
 */
int file_access_open(const char *path) {
        int fd;

        assert(path);

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 && errno == EACCES)
                return ask_helper(path, -EBADF);
        return fd < 0 ? -errno : fd;
}

/* Return: 0; -EACCES, as file_access_open(); what stat(2) says. */
int file_access_stat(const char *path, struct stat *ret) {
        _cleanup_(closep) int fd = -EBADF;

        assert(path && ret);

        if (stat(path, ret) == 0)
                return 0;
        if (errno != EACCES)
                return -errno;
        fd = ask_helper(path, -EBADF);
        if (fd < 0)
                return fd;
        return fstat(fd, ret) < 0 ? -errno : 0;
}

/* Return: as opendir(3), NULL with errno. The files of a directory that the helper opened have to be named by path. */
DIR *file_access_opendir(const char *path) {
        DIR *dir;
        int fd;

        assert(path);

        dir = opendir(path);
        if (dir || errno != EACCES)
                return dir;
        fd = ask_helper(path, -EBADF);
        if (fd < 0) {
                errno = -fd;
                return NULL;
        }
        dir = fdopendir(fd);
        if (!dir)
                (void) close(fd);
        return dir;
}

/* Return: as realpath(3), to be freed; NULL with errno. */
char *file_access_realpath(const char *path) {
        char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)], real[PATH_MAX];
        _cleanup_(closep) int fd = -EBADF;
        char *found;
        ssize_t n;

        assert(path);

        found = realpath(path, NULL);
        if (found || errno != EACCES)
                return found;
        fd = ask_helper(path, -EBADF);
        if (fd < 0) {
                errno = -fd;
                return NULL;
        }
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, real, sizeof(real) - 1);
        if (n < 0)
                return NULL;
        real[n] = '\0';
        return strdup(real);
}

/**
 * file_access_watch() - have the helper watch a file, or a directory, that this process may not read
 * @watch_fd: inotify descriptor that gets the watches
 *
 * Return: 0; -EACCES: there is no helper, or it may not read it either; what the helper says.
 */
int file_access_watch(const char *path, int watch_fd) {
        _cleanup_(closep) int fd = -EBADF;

        assert(path && watch_fd >= 0);

        fd = ask_helper(path, watch_fd);
        return fd < 0 ? fd : 0;
}
