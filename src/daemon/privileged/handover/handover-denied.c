/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * HandoverDenied: turns the names that the policy of lkmd denies (common/plan/denied-names.h) into a file of
 * modprobe.d in /run, so that udev and modprobe deny them too. The file exists while lkmd runs, since lkmd may end
 * at any moment.
 *
 * The names come from an untrusted process. Only names are accepted, and all that they can do is to deny a module.
 */

#include "daemon/privileged/handover/handover-denied.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/base/config-dirs.h"
#include "common/base/limits.h"
#include "common/base/paths.h"
#include "common/base/read-file.h"
#include "common/base/util.h"

#define TEMPORARY "/.lkmd-denied.new"   /* not *.conf: nobody reads it */
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static const char head[] =
        "# Written by lkmd-handover, see lkmd(8): what the policy of lkmd denies by name, for udev and modprobe. It also\n"
        "# holds while lkmd is stopped, unless OnStop=forget is in lkmd.conf. Changes here are lost; \"lkmctl explain NAME\"\n"
        "# shows the rule to change. Without lkmd this file may be removed.\n";

/* Return: 0 with the text of a regular file that is no link; -EFBIG; -EBADMSG; what open(2) said. */
static int read_text(const char *path, const uid_t *owner, char **ret) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size = 0;
        struct stat st;
        int r;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || (owner && st.st_uid != *owner && st.st_uid != 0))
                return -EBADMSG;
        r = read_file(fd, LKMD_DENIED_CONF_MAX, &text, &size);
        if (r < 0)
                return r;
        if (strlen(text) != size)
                return -EBADMSG;

        *ret = STEAL_PTR(text);
        return 0;
}

static int add_name(FILE *f, const char *name, size_t n) {
        if (n == 0 || n > MODULE_NAME_MAX || strspn(name, NAME_CHARACTERS) < n)
                return -EBADMSG;
        (void) fprintf(f, "install %.*s /bin/false\nblacklist %.*s\n", (int) n, name, (int) n, name);
        return 0;
}

/* What lkmd.conf says, as lkmd tells it before the names. Return: the names. */
static const char *skip_head(const char *text, bool *ret_forget, bool *ret_closed) {
        *ret_forget = startswith(text, LKMD_DENIED_FORGET);
        text += *ret_forget ? strlen(LKMD_DENIED_FORGET) : 0;
        *ret_closed = startswith(text, LKMD_DENIED_CLOSED);
        return text + (*ret_closed ? strlen(LKMD_DENIED_CLOSED) : 0);
}

/* @ret: NULL if there are no names. */
static int make_conf(const char *names, char **ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r = 0;
        FILE *f;

        if (names[0] == '\0') {
                *ret = NULL;
                return 0;
        }
        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        (void) fputs(head, f);
        while (r >= 0 && names[0] != '\0') {
                size_t n = strcspn(names, "\n");

                r = names[n] == '\n' ? add_name(f, names, n) : -EBADMSG; /* truncated */
                names += n + 1;
        }
        if (fclose(f) != 0 && r >= 0)
                r = -ENOMEM;
        if (r >= 0 && size > LKMD_DENIED_CONF_MAX)
                r = -EFBIG;
        if (r >= 0)
                *ret = STEAL_PTR(text);
        return r;
}

static int write_all(int fd, const char *text) {
        for (size_t size = strlen(text); size > 0;) {
                ssize_t n = write(fd, text, size);

                if (n < 0)
                        return -errno;
                text += n;
                size -= (size_t) n;
        }
        return 0;
}

/**
 * handover_make_conf_dir() - make /run/modprobe.d
 *
 * Return: 1 if it is new, which a running udevd does not notice: handover_touch_conf_dirs(); 0; what mkdir(2) said.
 */
int handover_make_conf_dir(const char *root) {
        char path[PATH_MAX];

        assert(root);

        (void) snprintf(path, sizeof(path), "%s" MODPROBE_RUN_DIR, root);
        if (mkdir(path, 0755) < 0)
                return errno == EEXIST ? 0 : -errno;
        return chmod(path, 0755) < 0 ? -errno : 1;
}

/**
 * handover_touch_conf_dirs() - make udevd read modprobe.d again the next time that it checks
 *
 * udevd compares the times of the directories that existed when it read them, kmod_validate_resources(3), and a signal
 * does not change that. Touching one of them is enough.
 *
 * Return: 0; what utimensat(2) said of the last, -ENOENT if there is none.
 */
int handover_touch_conf_dirs(const char *root) {
        static const char *const dirs[] = { MODPROBE_DIRS };
        int r = -ENOENT;

        assert(root);

        for (size_t i = 0; r < 0 && i < ARRAY_LEN(dirs); i++) {
                char path[PATH_MAX];

                if (streq(dirs[i], MODPROBE_RUN_DIR)) /* it may be the one that udevd did not see */
                        continue;
                (void) snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
                if (utimensat(AT_FDCWD, path, NULL, 0) >= 0)
                        r = 0;
                else if (errno != ENOENT)
                        r = -errno;
        }
        return r;
}

/* Atomically, since modprobe may read it at any moment. */
static int replace_conf(const char *root, const char *path, const char *text) {
        _cleanup_(closep) int fd = -EBADF;
        char temporary[PATH_MAX];
        int r;

        r = handover_make_conf_dir(root);
        if (r < 0)
                return r;
        (void) snprintf(temporary, sizeof(temporary), "%s" MODPROBE_RUN_DIR TEMPORARY ".%d", root, getpid());
        (void) unlink(temporary);
        fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        r = write_all(fd, text);
        if (r >= 0 && (fchmod(fd, 0644) < 0 || rename(temporary, path) < 0))
                r = -errno;
        if (r < 0)
                (void) unlink(temporary);
        return r;
}

static int remove_conf(const char *path) {
        if (unlink(path) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 1;
}

/**
 * handover_update_denied() - have udev and modprobe deny the names that lkmd wrote
 * @uid: of lkmd
 *
 * Return: 1 if the file was changed; 0 if not, or lkmd has written nothing yet; -EBADMSG or -EFBIG if the names are
 * not what lkmd writes, with the old file unchanged; what the file system said.
 */
int handover_update_denied(const char *root, uid_t uid) {
        _cleanup_(freep) char *names = NULL, *conf = NULL, *there = NULL;
        bool forget, closed;
        char path[PATH_MAX];
        int r;

        assert(root);

        (void) snprintf(path, sizeof(path), "%s" LKMD_DENIED_FILE, root);
        r = read_text(path, &uid, &names);
        if (r < 0)
                return r == -ENOENT ? 0 : r == -ELOOP ? -EBADMSG : r;
        r = make_conf(skip_head(names, &forget, &closed), &conf);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "%s" LKMD_DENIED_CONF, root);
        if (!conf)
                return remove_conf(path);
        if (read_text(path, NULL, &there) >= 0 && streq(there, conf))
                return 0;
        r = replace_conf(root, path, conf);
        return r < 0 ? r : 1;
}

/* What lkmd.conf says, as lkmd wrote it above the names. Return: 1; 0 if lkmd has written nothing yet. */
static int read_head(const char *root, uid_t uid, bool *ret_forget, bool *ret_closed) {
        _cleanup_(freep) char *names = NULL;
        char path[PATH_MAX];
        int r;

        (void) snprintf(path, sizeof(path), "%s" LKMD_DENIED_FILE, root);
        r = read_text(path, &uid, &names);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        (void) skip_head(names, ret_forget, ret_closed);
        return 1;
}

/**
 * handover_is_closed() - has lkmd.conf OnFailure=closed?
 * @uid: of lkmd
 *
 * Return: 1; 0, also if lkmd has written nothing yet; what the file system said.
 */
int handover_is_closed(const char *root, uid_t uid) {
        bool forget, closed;
        int r;

        assert(root);

        r = read_head(root, uid, &forget, &closed);
        return r > 0 ? closed : r;
}

/**
 * handover_forget_denied() - lkmd was stopped: remove the file, if the settings say so
 * @uid: of lkmd
 *
 * Return: 1 if it was removed; 0 if it stays, OnStop=hold; what the file system said.
 */
int handover_forget_denied(const char *root, uid_t uid) {
        bool forget, closed;
        char path[PATH_MAX];
        int r;

        assert(root);

        r = read_head(root, uid, &forget, &closed);
        if (r <= 0 || !forget)
                return r < 0 ? r : 0;
        (void) snprintf(path, sizeof(path), "%s" LKMD_DENIED_CONF, root);
        r = remove_conf(path);
        return r < 0 ? r : 1;
}
