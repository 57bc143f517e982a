/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ImageFile: writes images of indexes, and removes those of kernels that are gone. Owns nothing. It may wait
 * for a disk: only for a process that nobody waits for.
 */

#include "daemon/config/image-file.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/limits.h"
#include "common/base/util.h"

#define TEMPORARY_SIZE 32U              /* of a name: a dot and a process */
#define TEMPORARY_SEC 60                /* after which another process's file counts as left behind */

static int open_dir(const char *dir) {
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const void *bytes, size_t size) {
        for (const uint8_t *p = bytes; size > 0;) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

static int write_new(int dir_fd, const char *name, const void *image, size_t size) {
        int fd, r;

        /* 0600: it says what may be in files that only root can read. */
        fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = write_all(fd, image, size);
        if (close(fd) < 0 && r >= 0)
                r = -errno;             /* a full disk, by NFS */
        return r;
}

/**
 * image_file_write() - replace the image of a kernel by another, as a whole
 *
 * Nothing is synced: what a power cut tears does not have its checksum, and is made anew.
 *
 * Return: 0; -EINVAL: the release cannot be the name of an image; what open(2), write(2) and rename(2) say: the
 * file is as it was then.
 */
int image_file_write(const char *dir, const char *release, const void *image, size_t size) {
        _cleanup_(closep) int dir_fd = -EBADF;
        char temporary[TEMPORARY_SIZE];
        int r;

        assert(dir && release && image);

        if (release[0] == '.')          /* as what is not finished */
                return -EINVAL;
        dir_fd = open_dir(dir);
        if (dir_fd < 0)
                return dir_fd;
        (void) snprintf(temporary, sizeof(temporary), ".%ld", (long) getpid());
        (void) unlinkat(dir_fd, temporary, 0); /* of an earlier process with this number */
        r = write_new(dir_fd, temporary, image, size);
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, release) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir_fd, temporary, 0);
        return r;
}

/* Has nobody any use for this file? */
static bool is_left_behind(const char *name, const char *module_root, const struct stat *st) {
        _cleanup_(freep) char *path = NULL;
        struct stat modules;

        if (name[0] == '.') {
                time_t age = time(NULL) - st->st_mtime;

                return age < -TEMPORARY_SEC || age > TEMPORARY_SEC;
        }
        if (asprintf(&path, "%s/%s", module_root, name) < 0) {
                path = NULL;
                return false;
        }
        return stat(path, &modules) < 0 && errno == ENOENT;
}

/*
 * Removes what is left behind, and if more than INDEX_IMAGES_MAX files are left the one that was written
 * first. Return: 1: that is one file less; 0: there are no more than that; < 0: what opendir(3) says.
 */
static int tidy_once(int dir_fd, const char *release, const char *module_root) {
        _cleanup_(closedirp) DIR *dir = NULL;
        char first[NAME_MAX + 1] = "";
        struct timespec first_time = {};
        const struct dirent *e;
        size_t n = 0;
        int fd;

        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir)
                return -errno;
        while ((e = readdir(dir))) {
                struct stat st;

                if (streq(e->d_name, release) || fstatat(dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
                    S_ISDIR(st.st_mode))
                        continue;
                if (is_left_behind(e->d_name, module_root, &st)) {
                        (void) unlinkat(dir_fd, e->d_name, 0);
                        continue;
                }
                n += e->d_name[0] != '.';
                if (e->d_name[0] != '.' &&
                    (!*first || st.st_mtim.tv_sec < first_time.tv_sec ||
                     (st.st_mtim.tv_sec == first_time.tv_sec && st.st_mtim.tv_nsec < first_time.tv_nsec))) {
                        (void) stpcpy(first, e->d_name);
                        first_time = st.st_mtim;
                }
        }
        if (n < INDEX_IMAGES_MAX)
                return 0;
        return unlinkat(dir_fd, first, 0) < 0 ? -errno : 1;
}

/**
 * image_file_tidy() - remove what is of no use
 *
 * These are images of kernels without modules, what was never finished, and the oldest images if there are many.
 *
 * @release:     whose image stays
 * @module_root: with a directory for each kernel
 *
 * Return: 0; what open(2) and unlink(2) say.
 */
int image_file_tidy(const char *dir, const char *release, const char *module_root) {
        _cleanup_(closep) int dir_fd = -EBADF;
        int r;

        assert(dir && release && module_root);

        dir_fd = open_dir(dir);
        if (dir_fd < 0)
                return dir_fd;
        do
                r = tidy_once(dir_fd, release, module_root);
        while (r > 0);
        return r;
}
