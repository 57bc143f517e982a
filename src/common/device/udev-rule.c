/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* UdevRule: the one rule file of udev's whose work lkmd does. Owns nothing. */

#include "common/device/udev-rule.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/base/paths.h"
#include "common/base/util.h"

/* Is the file empty, a mask, or written by lkmd-handover? */
static bool file_leaves_it_to_lkmd(const char *path) {
        _cleanup_(closep) int fd = -EBADF;
        char head[sizeof(UDEV_RULE_HEAD)] = "";
        struct stat st;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return false;
        if (!S_ISREG(st.st_mode))
                return S_ISCHR(st.st_mode); /* /dev/null */
        if (st.st_size == 0)
                return true;
        return read(fd, head, sizeof(head) - 1) > 0 && streq(head, UDEV_RULE_HEAD);
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
                struct stat st;

                (void) snprintf(path, sizeof(path), "%s%s/%s", root, dirs[i], UDEV_AUTOLOAD_RULE);
                if (lstat(path, &st) >= 0)
                        return file_leaves_it_to_lkmd(path);
        }
        return true;
}
