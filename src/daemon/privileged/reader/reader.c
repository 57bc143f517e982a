/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reader: opens what the manager has to read and may not, since only root may: files and directories of modprobe.d,
 * modules-load.d, policy.d, lkmd.conf, udev's rules and hardware database, and the modules. It reads none of them.
 * The manager may be compromised, so each path is checked as if a stranger had named it: it has to lie in one of
 * the directories below, to have one of the names that are read there, and to belong to root on the whole way.
 *
 * A link may lead out of these directories to a file that everybody may read, but not to one that only root may:
 * /etc/modprobe.d/x.conf -> /etc/shadow. Owns nothing; borrows the connection.
 */

#include "daemon/privileged/reader/reader.h"

#include <assert.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/base/config-dirs.h"
#include "common/base/root-file.h"
#include "common/base/util.h"
#include "daemon/privileged/reader/reader-protocol.h"

#define FILE_MASK (IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
#define DIRECTORY_MASK (FILE_MASK | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define EVERYBODY_MAY_READ S_IROTH
#define EVERYBODY_MAY_ENTER (S_IROTH | S_IXOTH)
#define FD_PATH_SIZE (sizeof("/proc/self/fd/") + 3 * sizeof(int))

/* The names of the regular files that may be opened in a directory and below it. */
typedef bool (*name_counts_t)(const char *name);

static bool is_conf(const char *name) {
        return endswith(name, ".conf");
}

static bool is_yaml(const char *name) {
        return endswith(name, ".yaml");
}

static bool is_rules(const char *name) {
        return endswith(name, ".rules");
}

static bool is_hwdb(const char *name) {
        return endswith(name, ".hwdb");
}

/* No keys for signing modules, as below the link "build". */
static bool is_of_modules(const char *name) {
        static const char *const suffixes[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };

        for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
                if (endswith(name, suffixes[i]))
                        return true;
        return startswith(name, "modules.");
}

static const struct {
        const char *dirs[8];
        name_counts_t counts;
} places[] = {
        { { MODPROBE_DIRS }, is_conf },
        { { MODULES_LOAD_DIRS }, is_conf },
        { { LKMD_CONF_DIRS }, is_conf },
        { { LKMD_POLICY_DIRS }, is_yaml },
        { { LKMD_LIST_DIRS }, is_yaml },
        { { UDEV_ETC_RULES_DIR, UDEV_RUN_RULES_DIR, UDEV_LOCAL_RULES_DIR, UDEV_LIB_RULES_DIR }, is_rules },
        { { UDEV_ETC_HWDB_DIR }, is_hwdb },
        { { MODULE_ROOT }, is_of_modules },
};

static bool is_at_or_below(const char *path, const char *dir) {
        size_t n = strlen(dir);

        return startswith(path, dir) && (path[n] == '/' || path[n] == '\0');
}

static bool has_dots(const char *path) {
        for (const char *p = path; (p = strstr(p, "/..")); p += strlen("/.."))
                if (p[strlen("/..")] == '/' || p[strlen("/..")] == '\0')
                        return true;
        return false;
}

static void fd_path(int fd, char ret[static FD_PATH_SIZE]) {
        (void) snprintf(ret, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* Does the directory of the list itself, wherever it is, have the file? */
static bool lies_in(int fd, const char *dir) {
        _cleanup_(freep) char *real_dir = realpath(dir, NULL);
        char link[FD_PATH_SIZE], real[PATH_MAX];
        ssize_t n;

        fd_path(fd, link);
        n = readlink(link, real, sizeof(real) - 1);
        if (n < 0 || !real_dir)
                return false;
        real[n] = '\0';
        return is_at_or_below(real, real_dir);
}

/* Is @path, as it is written, at or below a directory of the list? */
static bool is_written_in_place(const char *path) {
        for (size_t i = 0; i < ARRAY_LEN(places); i++)
                for (const char *const *dir = places[i].dirs; *dir; dir++)
                        if (is_at_or_below(path, *dir))
                                return true;
        return false;
}

/* Does one of the directories allow this file, which is at the end of @path? */
static bool is_in_place(int fd, const struct stat *st, const char *path) {
        mode_t public = S_ISDIR(st->st_mode) ? EVERYBODY_MAY_ENTER : EVERYBODY_MAY_READ;

        for (size_t i = 0; i < ARRAY_LEN(places); i++)
                for (const char *const *dir = places[i].dirs; *dir; dir++)
                        if (is_at_or_below(path, *dir) &&
                            (S_ISDIR(st->st_mode) || places[i].counts(strrchr(path, '/') + 1)) &&
                            ((st->st_mode & public) == public || lies_in(fd, *dir)))
                                return true;
        return false;
}

static int check(int fd, const char *path) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
                return -EINVAL;
        return st.st_uid == 0 && is_in_place(fd, &st, path) ? 0 : -EPERM;
}

/* ------------------------------------------------------------------------------------------------ watches */

typedef struct Watch {
        int fd;                         /* inotify; -EBADF: nothing is watched */
        bool hidden;                    /* behind a directory that not everybody may read: all the rest is watched */
} Watch;

static int watch(const Watch *w, int fd, mode_t mode) {
        char link[FD_PATH_SIZE];

        fd_path(fd, link);
        return inotify_add_watch(w->fd, link, S_ISDIR(mode) ? DIRECTORY_MASK : FILE_MASK) < 0 ? -errno : 0;
}

/* The manager watches for itself what everybody may read. */
static int on_directory(int fd, void *userdata) {
        Watch *w = userdata;
        struct stat st;

        if (w->fd < 0)
                return 0;
        if (fstat(fd, &st) < 0)
                return -errno;
        w->hidden |= (st.st_mode & EVERYBODY_MAY_ENTER) != EVERYBODY_MAY_ENTER;
        return w->hidden ? watch(w, fd, st.st_mode) : 0;
}

static int watch_end(const Watch *w, int fd) {
        struct stat st;

        if (w->fd < 0)
                return 0;
        return fstat(fd, &st) < 0 ? -errno : watch(w, fd, st.st_mode);
}

/* --------------------------------------------------------------------------------------------------- opens */

/**
 * reader_open() - open a file or a directory for the manager
 * @path:     as the manager wrote it
 * @watch_fd: inotify descriptor of the manager, borrowed; -EBADF: none
 *
 * The watches are set before the file is opened, so that no change is missed.
 *
 * Return: a file descriptor; -EPERM: it is none of those that the manager may have; -EINVAL: neither a regular file
 * nor a directory; what open(2) says.
 */
int reader_open(const char *path, int watch_fd) {
        _cleanup_(closep) int found = -EBADF;
        Watch w = { .fd = watch_fd };
        int r;

        assert(path);

        if (has_dots(path) || !is_written_in_place(path))
                return -EPERM;
        found = root_file_trace(path, on_directory, &w);
        if (found < 0)
                return found;
        r = check(found, path);
        if (r >= 0)
                r = watch_end(&w, found);
        return r < 0 ? r : root_file_reopen(found);
}

/* ------------------------------------------------------------------------------------------------- packets */

typedef union Control {
        struct cmsghdr header;          /* for its alignment */
        char bytes[CMSG_SPACE(sizeof(int))];
} Control;

static bool is_other_version(const ReaderRequest *request, size_t n) {
        return n >= sizeof(request->magic) && request->magic != READER_MAGIC &&
               ((request->magic ^ READER_MAGIC) & READER_MAGIC_FAMILY) == 0;
}

/* Return: 1; 0: the manager hung up; -EBADMSG; -EPROTO: it is of another version; what recvmsg(2) says. */
static int receive(int fd, ReaderRequest *request, int *ret_watch_fd) {
        Control control = {};
        struct iovec iov = { .iov_base = request, .iov_len = sizeof(*request) };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control.bytes,
                .msg_controllen = CMSG_LEN(sizeof(int)), /* CMSG_SPACE() would have room for two */
        };
        const uint32_t magic = READER_MAGIC;
        const struct cmsghdr *c;
        ssize_t n;

        do
                n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
                return n < 0 && errno != ECONNRESET ? -errno : 0;
        c = CMSG_FIRSTHDR(&message);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof(int)))
                (void) memcpy(ret_watch_fd, CMSG_DATA(c), sizeof(int));
        if (is_other_version(request, (size_t) n)) {
                (void) send(fd, &magic, sizeof(magic), MSG_NOSIGNAL | MSG_DONTWAIT);
                return -EPROTO;
        }
        return n == sizeof(*request) && request->magic == READER_MAGIC &&
                               !(request->flags & ~READER_WATCH) &&
                               !(request->flags & READER_WATCH) == (*ret_watch_fd < 0) &&
                               memchr(request->path, '\0', sizeof(request->path))
                       ? 1
                       : -EBADMSG;
}

/* @file_fd: or the negative errno why there is none. */
static int reply(int fd, int file_fd) {
        ReaderReply answer = { .magic = READER_MAGIC, .error = MIN(file_fd, 0) };
        Control control = { .header = { .cmsg_level = SOL_SOCKET,
                                        .cmsg_type = SCM_RIGHTS,
                                        .cmsg_len = CMSG_LEN(sizeof(int)) } };
        struct iovec iov = { .iov_base = &answer, .iov_len = sizeof(answer) };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (file_fd >= 0) {
                (void) memcpy(CMSG_DATA(&control.header), &file_fd, sizeof(int));
                message.msg_control = control.bytes;
                message.msg_controllen = sizeof(control.bytes);
        }
        return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/**
 * reader_serve() - answer requests until the manager hangs up
 * @fd: the connection, borrowed
 *
 * Return: 0; -EBADMSG: that was no request; -EPROTO: one of another version; what recvmsg(2) and sendmsg(2) say.
 */
int reader_serve(int fd) {
        static ReaderRequest request;
        int r;

        for (;;) {
                _cleanup_(closep) int watch_fd = -EBADF, file_fd = -EBADF;

                r = receive(fd, &request, &watch_fd);
                if (r <= 0)
                        return r;
                file_fd = reader_open(request.path, watch_fd);
                r = reply(fd, file_fd);
                if (r < 0)
                        return r == -EPIPE ? 0 : r;
        }
}
