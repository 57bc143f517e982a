/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmd-request: kernel.modprobe while lkmd runs; everything is in kernel-helper.c. The kernel starts it for each
 * request, so it links libc only, and that into itself.
 */

#include "common/base/paths.h"
#include "common/base/util.h"
#include "daemon/privileged/helper/kernel-helper.h"

int main(int argc, char **argv) {
        return kernel_helper_run(secure_getenv(LKMD_REQUEST_ROOT_ENV) ?: "", argc, argv);
}
