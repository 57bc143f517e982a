/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RootFile: walks a path as the kernel would, name by name, and checks the owner of each directory and each link on
 * the way. Nothing is opened for reading before it is known to be a regular file: opening a device can start it (a
 * watchdog), and opening a FIFO waits. Owns nothing.
 */

#include "common/base/root-file.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "common/base/read-file.h"
#include "common/base/util.h"

#define LINKS_MAX 40U                   /* the kernel's limit: MAXSYMLINKS, linux/namei.h */
#define OPEN_PATH (O_PATH | O_NOFOLLOW | O_CLOEXEC)

typedef struct Walk {
        const RootFileRules *rules;
        int fd;                         /* where it is: O_PATH */
        char rest[PATH_MAX];            /* of the path */
        unsigned n_links;
} Walk;

static void walk_clear(Walk *w) {
        closep(&w->fd);
}

static void walk_move(Walk *w, int fd) {
        closep(&w->fd);
        w->fd = fd;
}

static bool is_trusted(const RootFileRules *rules, uid_t uid) {
        return uid == 0 || uid == rules->owner;
}

/*
 * In a directory with the sticky bit, others can create files, but not replace those of root. Links into /proc are for
 * the kernel to follow: they may lead into other mount namespaces.
 */
static int check_directory(const Walk *w) {
        struct statfs fs;
        struct stat st;

        if (fstat(w->fd, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        if (!is_trusted(w->rules, st.st_uid))
                return -EPERM;
        if ((st.st_mode & (S_IWGRP | S_IWOTH)) && (w->rules->strict || !(st.st_mode & S_ISVTX)))
                return -EPERM;
        if (!w->rules->strict && w->n_links == 0)
                return 0;
        if (fstatfs(w->fd, &fs) < 0)
                return -errno;
        return fs.f_type == PROC_SUPER_MAGIC ? -EXDEV : 0;
}

static int walk_to_root(Walk *w) {
        int fd;

        fd = open(w->rules->root ?: "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        walk_move(w, fd);
        return 0;
}

/* Puts the target of a link in front of the rest. */
static int walk_follow(Walk *w, int link_fd, const struct stat *st) {
        char target[PATH_MAX];
        size_t n_rest = strlen(w->rest);
        ssize_t n;

        if (!is_trusted(w->rules, st->st_uid))
                return -EPERM;
        if (++w->n_links > LINKS_MAX)
                return -ELOOP;
        n = readlinkat(link_fd, "", target, sizeof(target));
        if (n < 0)
                return -errno;
        if (n == 0)
                return -ENOENT;
        if ((size_t) n + 1 + n_rest >= sizeof(w->rest))
                return -ENAMETOOLONG;
        (void) memmove(w->rest + n + 1, w->rest, n_rest + 1);
        (void) memcpy(w->rest, target, (size_t) n);
        w->rest[n] = '/';
        return target[0] == '/' ? walk_to_root(w) : 0;
}

/* Removes the next name from @rest. Return: true if another one follows. */
static bool take_name(char *rest, char ret[static NAME_MAX + 1], bool *ret_too_long) {
        size_t blanks = strspn(rest, "/"), n = strcspn(rest + blanks, "/");

        *ret_too_long = n > NAME_MAX;
        if (!*ret_too_long) {
                (void) memcpy(ret, rest + blanks, n);
                ret[n] = '\0';
        }
        (void) memmove(rest, rest + blanks + n, strlen(rest + blanks + n) + 1);
        return rest[strspn(rest, "/")] != '\0';
}

/* One name further. */
static int walk_step(Walk *w) {
        _cleanup_(closep) int next = -EBADF;
        char name[NAME_MAX + 1];
        bool too_long;
        struct stat st;
        int r;

        (void) take_name(w->rest, name, &too_long);
        if (too_long)
                return -ENAMETOOLONG;
        if (name[0] == '\0' || streq(name, "."))
                return 0;
        r = check_directory(w);
        if (r >= 0 && w->rules->directory)
                r = w->rules->directory(w->fd, w->rules->userdata);
        if (r < 0)
                return r;
        next = openat(w->fd, name, OPEN_PATH);
        if (next < 0)
                return -errno;
        if (fstat(next, &st) < 0)
                return -errno;
        if (S_ISLNK(st.st_mode))
                return walk_follow(w, next, &st);
        walk_move(w, STEAL_FD(next));
        return 0;
}

/**
 * root_file_find_by() - resolve a path
 * @rules: whom directories and links on the way have to belong to
 * @path:  absolute, below the root of the rules
 *
 * Return: an O_PATH descriptor of a file of any type; -EPERM if a directory or a link on the way does not belong to
 * the owner, or others can write to such a directory; -EXDEV if a link or a
 * strict walk gets into /proc; what open(2) says.
 */
int root_file_find_by(const RootFileRules *rules, const char *path) {
        _cleanup_(walk_clear) Walk w = { .rules = rules, .fd = -EBADF };
        int r;

        assert(rules && path && path[0] == '/');

        if (strlen(path) >= sizeof(w.rest))
                return -ENAMETOOLONG;
        (void) stpcpy(w.rest, path);
        r = walk_to_root(&w);
        while (r >= 0 && w.rest[0] != '\0')
                r = walk_step(&w);
        return r < 0 ? r : STEAL_FD(w.fd);
}

/**
 * root_file_trace() - resolve a path, and report the directories that it leads through
 * @path:      absolute
 * @directory: called with each before a name is looked up in it; a negative return ends it
 *
 * Return: as root_file_find_by(); what @directory returned.
 */
int root_file_trace(const char *path, root_file_directory_t directory, void *userdata) {
        return root_file_find_by(&(RootFileRules) { .directory = directory, .userdata = userdata }, path);
}

/* As root_file_find_by(), for root's files of this machine. */
int root_file_find(const char *path) {
        return root_file_find_by(&(RootFileRules) {}, path);
}

/**
 * root_file_check_by() - is it a regular file that only the owner can write?
 *
 * Return: 0; -EINVAL: it is no regular file; -EPERM; what fstat(2) says.
 */
int root_file_check_by(const RootFileRules *rules, int fd) {
        struct stat st;

        assert(rules);

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (!is_trusted(rules, st.st_uid) || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        return 0;
}

int root_file_check(int fd) {
        return root_file_check_by(&(RootFileRules) {}, fd);
}

/**
 * root_file_reopen() - open a file for reading that was checked
 * @fd: O_PATH descriptor of a regular file
 */
int root_file_reopen(int fd) {
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        int r;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        r = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        return r < 0 ? -errno : r;
}

/**
 * root_file_read() - read a file that only root can have written
 * @ret: ends with a NUL behind its @ret_size bytes
 *
 * Return: 0; -EPERM, -EINVAL; -EFBIG; -ENOMEM; what open(2) and read(2) say.
 */
int root_file_read(const char *path, size_t size_max, char **ret, size_t *ret_size) {
        _cleanup_(closep) int found = -EBADF, fd = -EBADF;
        int r;

        assert(path && ret && ret_size);

        found = root_file_find(path);
        if (found < 0)
                return found;
        r = root_file_check(found);
        if (r < 0)
                return r;
        fd = root_file_reopen(found);
        return fd < 0 ? fd : read_file(fd, size_max, ret, ret_size);
}
