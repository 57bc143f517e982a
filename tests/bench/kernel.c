/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "kernel.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/util.h"

bool kernel_find(char root[static KERNEL_ROOT_MAX], char release[static KERNEL_RELEASE_MAX]) {
        const char *guest = getenv("LKMD_GUEST_ROOT"), *roots[] = { guest ?: "", "" };
        char pattern[KERNEL_ROOT_MAX + 64];
        glob_t found;

        for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
                char *end;

                (void) snprintf(pattern, sizeof(pattern), "%s/lib/modules/*/modules.alias.bin", roots[i]);
                if (glob(pattern, 0, NULL, &found) != 0)
                        continue;
                end = strrchr(found.gl_pathv[found.gl_pathc - 1], '/');
                *end = '\0';
                (void) snprintf(root, KERNEL_ROOT_MAX, "%s", roots[i]);
                (void) snprintf(release, KERNEL_RELEASE_MAX, "%s",
                                strrchr(found.gl_pathv[found.gl_pathc - 1], '/') + 1);
                globfree(&found);
                return true;
        }
        return false;
}
