/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The directories of configuration, highest first, as items of an array's initializer: for what reads them, watches
 * them, and checks for root that something comes from them.
 */

#include "common/base/paths.h"

/* libkmod 34: SYSCONFDIR, /run, /usr/local/lib, DISTCONFDIR, /lib */
#define MODPROBE_DIRS                                                                            \
        "/etc/modprobe.d", MODPROBE_RUN_DIR, "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", \
                "/lib/modprobe.d"

/* systemd's CONF_PATHS(), of lists of modules that a boot loads */
#define MODULES_LOAD_DIRS                                                              \
        "/etc/modules-load.d", "/run/modules-load.d", "/usr/local/lib/modules-load.d", \
                "/usr/lib/modules-load.d"

#define LKMD_CONF_DIRS \
        LKMD_SYSCONF_DIR "/lkmd", LKMD_RUN_DIR, LKMD_LIB_DIR /* of lkmd.conf and lkmd.conf.d */
#define LKMD_POLICY_DIRS \
        LKMD_SYSCONF_DIR "/lkmd/" LKMD_POLICY_DIR, LKMD_RUN_DIR "/" LKMD_POLICY_DIR, \
                LKMD_LIB_DIR "/" LKMD_POLICY_DIR
#define LKMD_LIST_DIRS LKMD_SYSCONF_DIR "/lkmd/" LKMD_LIST_DIR, LKMD_DATA_DIR "/" LKMD_LIST_DIR
