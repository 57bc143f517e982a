/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "daemon/privileged/helper/request-protocol.h"

/*
 * KernelHelper: what lkmd-request does. @root: prefix of all paths for tests; "": none.
 */

typedef enum HelperTask {
        HELPER_ASK,                     /* a request for a module that lkmd can be asked about */
        HELPER_PASS,                    /* a call of modprobe that is not the kernel's: modprobe is run with it */
        HELPER_OTHER,                   /* another program, by CONFIG_STATIC_USERMODEHELPER */
} HelperTask;

HelperTask kernel_helper_task(int argc, char *const *argv, const char **ret_name);
RequestAnswer kernel_helper_ask(const char *root, const char *name);
bool kernel_helper_is_closed(const char *root);
bool kernel_helper_may_run(const char *root, const char *program);
int kernel_helper_run(const char *root, int argc, char **argv);
