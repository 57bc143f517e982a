/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ReplaceFile: a file is written beside the old one and put in its place when it is complete. Its temporary
 * name begins with a dot and has an ending of its own, so that whoever reads all *.prom of a directory
 * leaves it alone.
 *
 * The directory may belong to another user, the collector of what is written, and so may those above it. It is
 * looked up once, links of that user are not followed on the way, and all that is done afterwards is done in it.
 */

#include "cli/verbs/replace-file.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/base/path-trace.h"
#include "common/base/util.h"

#define TRIES_MAX 16U                   /* for a name that nothing has yet */

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

/* A link leads where its owner wants, and so does a directory in which others can put one. */
static int refuse_links_of_others(const PathHop *hop, void *userdata) {
        if (!hop->link)
                return 0;
        if ((hop->stat->st_uid != 0 && hop->stat->st_uid != geteuid()) ||
            (hop->directory_stat->st_uid != 0 && hop->directory_stat->st_uid != geteuid()))
                return -EREMCHG;
        return 0;
}

/*
 * Between the look at the way and its use it may have become another: then it has a link, and is not gone. It is gone
 * name by name, since openat2(2) is not to be had in a unit with RestrictSUIDSGID=, as lkmd-metrics.service is one.
 */
static int open_directory(const char *path) {
        _cleanup_(closep) int fd = -EBADF;
        char real[PATH_MAX], *rest = real, *name;
        struct stat st;
        int r;

        r = path_trace(path, refuse_links_of_others, NULL, real, &st);
        if (r < 0)
                return r;
        fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        while (fd >= 0 && (name = strsep(&rest, "/"))) {
                int next;

                if (*name == '\0')
                        continue;
                next = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (next >= 0 && fstat(next, &st) >= 0 && S_ISLNK(st.st_mode)) {
                        (void) close(next);
                        return -EREMCHG;
                }
                (void) close(fd);
                fd = next;
        }
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        return S_ISDIR(st.st_mode) ? STEAL_FD(fd) : -ENOTDIR;
}

/* An empty file that is ours alone. */
static int open_temporary(int dir_fd, const char *base, char ret_name[static NAME_MAX + 1]) {
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                uint32_t random;
                int fd, n;

                if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                        return -EIO;
                n = snprintf(ret_name, NAME_MAX + 1, ".%s.%08" PRIx32, base, random);
                if (n < 0 || n > NAME_MAX)
                        return -ENAMETOOLONG;
                fd = openat(dir_fd, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (fd >= 0)
                        return fd;
                if (errno != EEXIST)
                        return -errno;
        }
        return -EEXIST;
}

/* Others are to read it, whatever the umask is. */
static int fill(int fd, const char *text, size_t n) {
        int r = write_all(fd, text, n);

        if (r >= 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
                r = -errno;
        return r;
}

static int replace_in(int dir_fd, const char *base, const char *text, size_t n) {
        _cleanup_(closep) int fd = -EBADF;
        char name[NAME_MAX + 1];
        struct stat st;
        int r;

        if (fstatat(dir_fd, base, &st, AT_SYMLINK_NOFOLLOW) >= 0) {
                if (!S_ISREG(st.st_mode))
                        return -ENOTSUP;
        } else if (errno != ENOENT)
                return -errno;

        fd = open_temporary(dir_fd, base, name);
        if (fd < 0)
                return fd;
        r = fill(fd, text, n);
        if (r >= 0 && renameat(dir_fd, name, dir_fd, base) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir_fd, name, 0);
        return r;
}

/**
 * replace_file() - put a text into a file, at one stroke
 * @path: may exist as a regular file; anything else there, a link or a device for one, is nothing to replace
 *
 * The file has mode 0644 whatever the umask is: others are to read it.
 *
 * Return: 0; -ENOTSUP if something else is there; -EREMCHG if the way to its directory leads through a link that
 * another user than root and the caller could have made; or why it could not be written, with all as before.
 */
int replace_file(const char *path, const char *text, size_t n) {
        _cleanup_(freep) char *absolute = NULL, *here = NULL;
        _cleanup_(closep) int dir_fd = -EBADF;
        char *base;

        assert(path && (text || n == 0));

        if (path[0] != '/' && !(here = getcwd(NULL, 0)))
                return -errno;
        if (asprintf(&absolute, "%s/%s", here ?: "", path) < 0) {
                absolute = NULL;
                return -ENOMEM;
        }
        base = strrchr(absolute, '/');
        if (base[1] == '\0')
                return -ENOTSUP;        /* a directory */
        *base++ = '\0';

        dir_fd = open_directory(*absolute ? absolute : "/");
        return dir_fd < 0 ? dir_fd : replace_in(dir_fd, base, text, n);
}
