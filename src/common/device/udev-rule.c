/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* UdevRule: the one rule file of udev's whose work lkmd does. Owns nothing. */

#include "common/device/udev-rule.h"

#include <assert.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/base/file-access.h"
#include "common/base/paths.h"
#include "common/base/util.h"

/* Is the file written by lkmd-handover? */
static bool file_is_lkmds(const char *path) {
        _cleanup_(closep) int fd = -EBADF;
        char head[sizeof(UDEV_RULE_HEAD)] = "";
        struct stat st;

        fd = file_access_open(path);
        return fd >= 0 && fstat(fd, &st) >= 0 && S_ISREG(st.st_mode) &&
               read(fd, head, sizeof(head) - 1) > 0 && streq(head, UDEV_RULE_HEAD);
}

/* Also a link to nowhere. */
static bool is_there(const char *path) {
        struct stat st;

        return lstat(path, &st) >= 0 || (errno == EACCES && file_access_stat(path, &st) >= 0);
}

/* Is the file empty, a mask, or written by lkmd-handover? */
static bool file_leaves_it_to_lkmd(const char *path) {
        struct stat st;

        if (file_access_stat(path, &st) >= 0 &&
            (S_ISCHR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size == 0)))
                return true;            /* /dev/null */
        return file_is_lkmds(path);
}

/**
 * udev_rule_leaves_it_to_lkmd() - does udev load no drivers while lkmd is in charge?
 * @root: prefix of all paths, "" for none
 *
 * A file in /etc hides one with the same name in /run, which hides one in /usr/lib (udev(7)).
 *
 * Return: true if the file that counts has lkmd's guard, is empty or a link to /dev/null, or if there is
 * none.
 */
bool udev_rule_leaves_it_to_lkmd(const char *root) {
        static const char *const dirs[] = { UDEV_ETC_RULES_DIR, UDEV_RUN_RULES_DIR, UDEV_LOCAL_RULES_DIR,
                                            UDEV_LIB_RULES_DIR };

        assert(root);

        for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
                char path[PATH_MAX];

                (void) snprintf(path, sizeof(path), "%s%s/%s", root, dirs[i], UDEV_AUTOLOAD_RULE);
                if (is_there(path))
                        return file_leaves_it_to_lkmd(path);
        }
        return true;
}

/* Earlier versions of lkmd made such a link in /run. */
static bool is_link_to_null(const char *path) {
        char target[sizeof("/dev/null")];
        ssize_t n = readlink(path, target, sizeof(target));

        return n == (ssize_t) strlen("/dev/null") && strncmp(target, "/dev/null", (size_t) n) == 0;
}

/**
 * udev_rule_find_own() - the administrator's file in the place of udev's rule that loads drivers
 * @root: prefix of all paths, "" for none
 *
 * A file, or a link to /dev/null, in /etc, /run or /usr/local, if it is not lkmd's: with it the administrator has
 * decided what is loaded for devices.
 *
 * Return: its path without @root, a constant; NULL: there is none.
 */
const char *udev_rule_find_own(const char *root) {
        static const char *const paths[] = { UDEV_ETC_RULES_DIR "/" UDEV_AUTOLOAD_RULE,
                                             UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE,
                                             UDEV_LOCAL_RULES_DIR "/" UDEV_AUTOLOAD_RULE };

        assert(root);

        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
                char path[PATH_MAX];

                (void) snprintf(path, sizeof(path), "%s%s", root, paths[i]);
                if (!is_there(path) || file_is_lkmds(path))
                        continue;
                if (!startswith(paths[i], UDEV_RUN_RULES_DIR) || !is_link_to_null(path))
                        return paths[i];
        }
        return NULL;
}
