/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Privilege: see privilege.h. Owns nothing. */

#include "daemon/base/privilege.h"

#include <errno.h>
#include <sys/capability.h>

/**
 * privilege_drop() - give up all capabilities, for good
 *
 * Return: 0; -ENOMEM; what cap_set_proc(3) says.
 */
int privilege_drop(void) {
        cap_t none;
        int r = 0;

        none = cap_init();
        if (!none)
                return -errno;
        if (cap_set_proc(none) < 0)
                r = -errno;
        (void) cap_free(none);
        return r;
}
