/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one rule file of udev's that lkmd takes over; all others are udev's business. */

#include "common/udev-rule.h"

#include <assert.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/names.h"
#include "common/util.h"

/**
 * udev_rule_is_masked() - by the order of udev(7): a file in /etc hides one of that name in /run, that one
 * in /usr/lib
 * @root: prefix of all paths, "" for none
 *
 * Return: true if the file that counts is empty or a link to /dev/null, or if there is none.
 */
bool udev_rule_is_masked(const char *root) {
        static const char *const dirs[] = { UDEV_ETC_RULES_DIR, UDEV_RUN_RULES_DIR,
                                            "/usr/local/lib/udev/rules.d", UDEV_LIB_RULES_DIR };

        assert(root);

        for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
                char path[PATH_MAX], target[sizeof("/dev/null")];
                struct stat st;
                ssize_t n;

                (void) snprintf(path, sizeof(path), "%s%s/%s", root, dirs[i], UDEV_AUTOLOAD_RULE);
                if (lstat(path, &st) < 0)
                        continue;
                if (S_ISREG(st.st_mode))
                        return st.st_size == 0;
                n = readlink(path, target, sizeof(target));
                return n == (ssize_t) strlen("/dev/null") && strncmp(target, "/dev/null", (size_t) n) == 0;
        }
        return true;
}
