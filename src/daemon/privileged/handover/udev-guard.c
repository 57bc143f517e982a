/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UdevGuard: the file that masks the one rule file of udev that loads drivers. It is in /run, which udev(7)
 * searches before /usr/lib and which is empty after a reboot, and has udev's own rules behind a guard. The guard
 * tests two things: that the control group of lkmd.service exists, which systemd removes when no process of lkmd is
 * left, and that lkmd is in charge. When either is not true, udev applies its own rules, without any program or
 * unit of lkmd running, and without udevd reading its rules again.
 *
 * A file of the administrator's in that place is left as it is, and lkmd is not in charge then (Authority). The same
 * holds for /usr/local, behind /run in udev's order: with a file there, there is no guard.
 */

#include "daemon/privileged/handover/udev-guard.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/base/read-file.h"
#include "common/base/util.h"

#define EARLIER_MASK "/dev/null"        /* earlier versions of lkmd made a link to it */
#define RULE_TEMPORARY ".lkmd-drivers"  /* not *.rules: udev does not read it */

#define GUARD_FORMAT                                                                                       \
        UDEV_RULE_HEAD                                                                                      \
        ", see lkmd(8). While lkmd is in charge, it loads drivers, and the first rule\n"                    \
        "# here keeps udev from it. From the moment that lkmd has ended or stepped back, the others are in\n" \
        "# force: those of udev's own " UDEV_AUTOLOAD_RULE ". Without lkmd this file may be removed.\n"     \
        "TEST==\"%s\", TEST{0100}==\"" LKMD_IN_CHARGE_FILE "\", GOTO=\"lkmd_end\"\n"                       \
        "%s\n"                                                                                              \
        "LABEL=\"lkmd_end\"\n"

static void at_root(char path[static PATH_MAX], const char *root, const char *name) {
        (void) snprintf(path, PATH_MAX, "%s%s", root, name);
}

/* ------------------------------------------------------------------------------------------- control group */

/* The path in the line "ID:@name:PATH"; NULL: there is no such line. */
static const char *find_hierarchy(const char *text, const char *name, size_t *ret_length) {
        for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                const char *colon = strchr(line, ':');

                if (!colon || strncmp(colon + 1, name, strlen(name)) != 0)
                        continue;
                colon += 1 + strlen(name);
                if (*colon != ':')
                        continue;
                *ret_length = strcspn(colon + 1, "\n");
                return colon + 1;
        }
        return NULL;
}

/* It becomes a part of a rule, where '$', '%', '"' and '*' have a meaning. systemd escapes unusual bytes as \xNN. */
static bool path_is_plain(const char *path) {
        return path[0] == '/' && path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                                   "/._:@-\\")] == '\0';
}

/**
 * handover_find_cgroup() - the directory of the control group of lkmd.service
 * @self_cgroup: /proc/self/cgroup of a process of lkmd.service, cgroups(7)
 * @ret:         absolute path, without @root
 *
 * Return: 0; -ENOENT if there is none; -EBADMSG if it is of another unit; -ENOMEM.
 */
int handover_find_cgroup(const char *root, const char *self_cgroup, char **ret) {
        static const struct {
                const char *hierarchy, *mount;
        } places[] = {
                { "", "/sys/fs/cgroup" },
                { "", "/sys/fs/cgroup/unified" },
                { "name=systemd", "/sys/fs/cgroup/systemd" },
        };

        assert(root && self_cgroup && ret);

        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
                _cleanup_(freep) char *path = NULL;
                char checked[PATH_MAX];
                size_t n = 0;
                const char *group = find_hierarchy(self_cgroup, places[i].hierarchy, &n), *name;

                if (!group || n < 2)
                        continue;
                if (asprintf(&path, "%s%.*s", places[i].mount, (int) n, group) < 0) {
                        path = NULL;
                        return -ENOMEM;
                }
                at_root(checked, root, path);
                if (access(checked, F_OK) < 0)
                        continue;
                name = strrchr(path, '/') + 1;
                if (!streq(name, LKMD_UNIT) || !path_is_plain(path))
                        return -EBADMSG;
                *ret = STEAL_PTR(path);
                return 0;
        }
        return -ENOENT;
}

/* -------------------------------------------------------------------------------------------------- rules */

/* Return: a file of rules, "" for one that is no regular file (a mask); -ENOENT; -EFBIG. */
static int read_rules(const char *path, char **ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size = 0;
        int r;

        fd = read_file_open(path);
        if (fd == -EBADF || fd == -EISDIR) {
                text = strdup("");
                if (!text)
                        return -ENOMEM;
        } else {
                r = fd < 0 ? fd : read_file(fd, UDEV_RULE_MAX, &text, &size);
                if (r < 0)
                        return r;
        }
        if (strlen(text) != size)
                return -EBADMSG;        /* a NUL, which udev does not accept */

        *ret = STEAL_PTR(text);
        return 0;
}

/* udev's own rules, which would be in force without the guard: "" if there are none. */
static int read_udevs_rules(const char *root, char **ret) {
        char path[PATH_MAX];
        int r;

        at_root(path, root, UDEV_LIB_RULES_DIR "/" UDEV_AUTOLOAD_RULE);
        r = read_rules(path, ret);
        if (r != -ENOENT)
                return r;
        *ret = strdup("");
        return *ret ? 0 : -ENOMEM;
}

/* Return: 1: the file has this text; 0: there is none, or an older one of lkmd's; -EEXIST: a file of somebody else. */
static int look(const char *path, const char *text) {
        _cleanup_(freep) char *there = NULL;
        char target[sizeof(EARLIER_MASK)];
        struct stat st;
        ssize_t n;
        int r;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISLNK(st.st_mode)) {
                n = readlink(path, target, sizeof(target));
                return n == (ssize_t) strlen(EARLIER_MASK) && strncmp(target, EARLIER_MASK, (size_t) n) == 0
                               ? 0 : -EEXIST;
        }
        if (!S_ISREG(st.st_mode))
                return -EEXIST;
        r = read_rules(path, &there);
        if (r < 0)
                return -EEXIST;         /* one of lkmd's is readable and not too large */
        if (streq(there, text))
                return 1;
        return startswith(there, UDEV_RULE_HEAD) ? 0 : -EEXIST;
}

static int make_dirs(const char *root) {
        static const char *const dirs[] = { UDEV_RUN_DIR, UDEV_RUN_RULES_DIR };
        char path[PATH_MAX];

        for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
                at_root(path, root, dirs[i]);
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return -errno;
        }
        return 0;
}

/* Atomically, since udevd may read the directory at any moment. */
static int replace_rule(const char *root, const char *path, const char *text) {
        _cleanup_(closep) int fd = -EBADF;
        char temporary[PATH_MAX];
        size_t size = strlen(text);
        ssize_t n;
        int r;

        at_root(temporary, root, UDEV_RUN_RULES_DIR "/" RULE_TEMPORARY);
        (void) unlink(temporary);
        fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        n = write(fd, text, size);
        r = n < 0 ? -errno : (size_t) n < size ? -ENOSPC : 0;
        if (r >= 0 && fchmod(fd, 0644) < 0)
                r = -errno;
        if (r >= 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0)
                (void) unlink(temporary);
        return r;
}

static bool has_local_rules(const char *root) {
        char path[PATH_MAX];
        struct stat st;

        at_root(path, root, UDEV_LOCAL_RULES_DIR "/" UDEV_AUTOLOAD_RULE);
        return lstat(path, &st) >= 0;
}

/* Return: as handover_guard(). */
static int drop_guard(const char *path) {
        int r = look(path, "");

        if (r < 0)
                return r;
        if (unlink(path) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 1;
}

/**
 * handover_guard() - have udev leave drivers to lkmd while lkmd is in charge, and only then
 * @cgroup: directory that exists as long as lkmd runs
 *
 * It takes effect when udev reads its rules.
 *
 * Return: 1 if udev has to read them; 0 if nothing changed; -EEXIST if a file of the administrator's is in its place;
 * -EFBIG if udev's rules are longer than UDEV_RULE_MAX; what the file system said.
 */
int handover_guard(const char *root, const char *cgroup) {
        _cleanup_(freep) char *rules = NULL, *text = NULL;
        char path[PATH_MAX];
        int r;

        assert(root && cgroup);

        at_root(path, root, UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE);
        if (has_local_rules(root))
                return drop_guard(path);
        r = read_udevs_rules(root, &rules);
        if (r < 0)
                return r;
        if (asprintf(&text, GUARD_FORMAT, cgroup, rules) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        r = look(path, text);
        if (r != 0)
                return r < 0 ? r : 0;
        r = make_dirs(root);
        if (r < 0)
                return r;
        r = replace_rule(root, path, text);
        return r < 0 ? r : 1;
}

/* ---------------------------------------------------------------------------------------------- in charge */

/**
 * handover_take_run_dir() - have /run/lkmd belong to root
 *
 * It belonged to earlier versions of lkmd, which could have replaced files in it that root reads.
 *
 * Return: 0; -ENOTDIR, also for a link; what mkdir(2) or fchown(2) said.
 */
int handover_take_run_dir(const char *root) {
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];
        struct stat st;

        assert(root);

        at_root(path, root, LKMD_RUN_DIR);
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ELOOP ? -ENOTDIR : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if ((st.st_uid != geteuid() || st.st_gid != getegid()) && fchown(fd, geteuid(), getegid()) < 0)
                return -errno;
        return fchmod(fd, 0755) < 0 ? -errno : 0;
}

/* Is it the file that root made for the user @uid, rather than one that an earlier lkmd could have put there? */
static bool is_charge_file(const struct stat *st, uid_t uid) {
        return S_ISREG(st->st_mode) && st->st_nlink == 1 && st->st_uid == uid && st->st_size == 0;
}

static int open_charge_file(const char *root) {
        char path[PATH_MAX];
        int fd;

        at_root(path, root, LKMD_IN_CHARGE_FILE);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}

/**
 * handover_open_charge() - make the file in which the user @uid notes whether it is in charge, and reset it
 *
 * A note that an earlier lkmd left devices unhandled is kept. The directory has to be root's.
 *
 * Return: 0, or what the file system said.
 */
int handover_open_charge(const char *root, uid_t uid, gid_t gid) {
        _cleanup_(closep) int fd = -EBADF;
        char path[PATH_MAX];
        struct stat st;
        mode_t mode;

        assert(root);

        at_root(path, root, LKMD_IN_CHARGE_FILE);
        fd = open_charge_file(root);
        if (fd >= 0 && fstat(fd, &st) < 0)
                return -errno;
        if (fd >= 0 && is_charge_file(&st, uid)) {
                mode = st.st_mode & (IN_CHARGE_BEFORE | IN_CHARGE_OWED) ? IN_CHARGE_OWED : 0;
                return fchmod(fd, 0600U | mode) < 0 ? -errno : 0;
        }

        closep(&fd);
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        if (fchmod(fd, 0600) < 0 || fchown(fd, uid, gid) < 0)
                return -errno;
        return 0;
}

/**
 * handover_read_charge() - is lkmd in charge, and did it leave devices unhandled?
 * @ret: of IN_CHARGE_*; 0 if there is no such file
 *
 * Return: 0, or what the file system said.
 */
int handover_read_charge(const char *root, mode_t *ret) {
        char path[PATH_MAX];
        struct stat st;

        assert(root && ret);

        at_root(path, root, LKMD_IN_CHARGE_FILE);
        if (lstat(path, &st) < 0) {
                if (errno != ENOENT)
                        return -errno;
                *ret = 0;
                return 0;
        }
        *ret = S_ISREG(st.st_mode) ? st.st_mode & (IN_CHARGE_NOW | IN_CHARGE_BEFORE | IN_CHARGE_OWED) : 0;
        return 0;
}

/**
 * handover_set_charge() - change the file; only while no manager runs, which would not notice
 *
 * Return: 0, also if there is no such file; what the file system said.
 */
int handover_set_charge(const char *root, mode_t clear, mode_t set) {
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;
        mode_t mode;

        assert(root && ((clear | set) & ~(IN_CHARGE_NOW | IN_CHARGE_BEFORE | IN_CHARGE_OWED)) == 0);

        fd = open_charge_file(root);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        mode = st.st_mode & (IN_CHARGE_NOW | IN_CHARGE_BEFORE | IN_CHARGE_OWED);
        return fchmod(fd, 0600U | (mode & ~clear) | set) < 0 ? -errno : 0;
}

/**
 * handover_answer_call() - remove the file by which lkmd called
 *
 * It is in lkmd's own directory, and may be anything.
 *
 * Return: 0, also if there is none; what the file system said.
 */
int handover_answer_call(const char *root) {
        char path[PATH_MAX];

        assert(root);

        at_root(path, root, LKMD_HANDOVER_CALL_FILE);
        if (unlink(path) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR)
                return -errno;
        return rmdir(path) < 0 ? -errno : 0;
}

/* ------------------------------------------------------------------------------------------------ sockets */

/**
 * handover_is_listening() - does a process listen on the socket at @path?
 * @sockets: /proc/net/unix, proc_net_unix(5), which is read from its current position
 *
 * Connecting would show it too, but the loader would take the connection for the manager's.
 */
bool handover_is_listening(FILE *sockets, const char *path) {
        _cleanup_(freep) char *line = NULL;
        size_t allocated = 0;
        unsigned flags;
        int at;

        assert(sockets && path);

        while (getline(&line, &allocated, sockets) >= 0) {
                line[strcspn(line, "\n")] = '\0';
                if (sscanf(line, "%*x: %*x %*x %x %*x %*x %*u %n", &flags, &at) == 1 && (flags & (1U << 16)) != 0 &&
                    streq(line + at, path))
                        return true;
        }
        return false;
}
