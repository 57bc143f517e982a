/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ReplaceFile: writes a file beside the old one and renames it when it is complete. The temporary name
 * begins with a dot and has another ending, so that readers of all *.prom of a directory ignore it.
 *
 * The directory, and those above it, may belong to another user, who collects the files. It is opened once,
 * without following links of that user, and everything else is done relative to it.
 */

#include "cli/verbs/replace-file.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/base/path-trace.h"
#include "common/base/util.h"

#define TRIES_MAX 16U                   /* for an unused name */

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

/* A link leads where its owner wants, and so does one in a directory that belongs to another user. */
static int refuse_links_of_others(const PathHop *hop, void *userdata) {
        if (!hop->link)
                return 0;
        if ((hop->stat->st_uid != 0 && hop->stat->st_uid != geteuid()) ||
            (hop->directory_stat->st_uid != 0 && hop->directory_stat->st_uid != geteuid()))
                return -EREMCHG;
        return 0;
}

/*
 * The path may have changed since it was checked: if it has a link now, it is refused. It is walked name by
 * name, since openat2(2) is not available in a unit with RestrictSUIDSGID=, such as lkmd-metrics.service.
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

/* An empty file that nobody else has open. */
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

/* Others may read it, whatever the umask is. @like: has owner and mode; NULL: they are those of a new file */
static int fill(int fd, const char *text, size_t n, const struct stat *like) {
        int r = write_all(fd, text, n);

        if (r >= 0 && like && fchown(fd, like->st_uid, like->st_gid) < 0)
                r = -errno;
        if (r >= 0 && (fchmod(fd, like ? like->st_mode & 07777U : 0644) < 0 || fsync(fd) < 0))
                r = -errno;
        return r;
}

static void sync_directory(int dir_fd) {
        _cleanup_(closep) int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0)
                (void) fsync(fd);
}

static int replace_in(int dir_fd, const char *base, const char *text, size_t n, bool keeps) {
        _cleanup_(closep) int fd = -EBADF;
        char name[NAME_MAX + 1];
        bool is_there = false;
        struct stat st;
        int r;

        if (fstatat(dir_fd, base, &st, AT_SYMLINK_NOFOLLOW) >= 0) {
                if (!S_ISREG(st.st_mode))
                        return -ENOTSUP;
                is_there = true;
        } else if (errno != ENOENT)
                return -errno;

        fd = open_temporary(dir_fd, base, name);
        if (fd < 0)
                return fd;
        r = fill(fd, text, n, keeps && is_there ? &st : NULL);
        if (r >= 0 && renameat(dir_fd, name, dir_fd, base) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir_fd, name, 0);
        else if (keeps)
                sync_directory(dir_fd);
        return r;
}

static int replace(const char *path, const char *text, size_t n, bool keeps) {
        _cleanup_(freep) char *absolute = NULL, *here = NULL;
        _cleanup_(closep) int dir_fd = -EBADF;
        char *base;

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
        return dir_fd < 0 ? dir_fd : replace_in(dir_fd, base, text, n, keeps);
}

/**
 * replace_file() - write a file atomically
 * @path: may exist as a regular file; anything else, such as a link or a device, is not replaced
 *
 * The file has mode 0644 whatever the umask is: others may read it.
 *
 * Return: 0; -ENOTSUP if something else is there; -EREMCHG if the path of its directory has a link that
 * another user than root and the caller could have made; else why it could not be written, with the old file
 * as it was.
 */
int replace_file(const char *path, const char *text, size_t n) {
        assert(path && (text || n == 0));

        return replace(path, text, n, /* keeps= */ false);
}

/* The same for a file that people edit: owner and mode stay, and it is on the disk afterwards, come what may. */
int replace_file_keeping(const char *path, const char *text, size_t n) {
        assert(path && (text || n == 0));

        return replace(path, text, n, /* keeps= */ true);
}
