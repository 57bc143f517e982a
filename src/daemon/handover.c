/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Handover: the mask over the one rule file of udev's that loads drivers. It is a link to /dev/null in /run,
 * where udev(7) looks before /usr/lib and which is empty after a reboot. What somebody else put at that
 * place is left as it is.
 */

#include "daemon/handover.h"

#include <assert.h>
#include <limits.h>
#include <sys/stat.h>

#include "common/names.h"
#include "common/util.h"

#define MASK_TARGET "/dev/null"

/* Return: 1: our mask is there; 0: nothing is there; -EEXIST: something else is. */
static int look(const char *path) {
        char target[sizeof(MASK_TARGET)];
        ssize_t n;

        n = readlink(path, target, sizeof(target));
        if (n < 0)
                return errno == ENOENT ? 0 : errno == EINVAL ? -EEXIST : -errno;
        return (size_t) n == strlen(MASK_TARGET) && strncmp(target, MASK_TARGET, (size_t) n) == 0 ? 1
                                                                                                  : -EEXIST;
}

static int make_dirs(const char *root) {
        static const char *const dirs[] = { "/run/udev", UDEV_RUN_RULES_DIR };
        char path[PATH_MAX];

        for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
                (void) snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return -errno;
        }
        return 0;
}

/**
 * handover_mask() - take udev's rule out of force; it takes effect when udev reads its rules
 *
 * Return: 1 if it was in force; 0 if the mask was there already; -EEXIST if somebody's own file is in its
 * place; what symlink(2) said.
 */
int handover_mask(const char *root) {
        char path[PATH_MAX];
        int r;

        assert(root);

        (void) snprintf(path, sizeof(path), "%s" UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE, root);
        r = look(path);
        if (r != 0)
                return r < 0 ? r : 0;
        r = make_dirs(root);
        if (r < 0)
                return r;
        return symlink(MASK_TARGET, path) < 0 ? -errno : 1;
}

/**
 * handover_unmask() - put udev's rule into force again
 *
 * Return: 1 if our mask was there; 0 if there was nothing to do; what unlink(2) said.
 */
int handover_unmask(const char *root) {
        char path[PATH_MAX];
        int r;

        assert(root);

        (void) snprintf(path, sizeof(path), "%s" UDEV_RUN_RULES_DIR "/" UDEV_AUTOLOAD_RULE, root);
        r = look(path);
        if (r <= 0)
                return r == -EEXIST ? 0 : r;
        return unlink(path) < 0 ? -errno : 1;
}
