/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * HandoverDenied: what the policy denies by name, for udev and modprobe. @root: prefix of all paths for tests; "":
 * none.
 */

int handover_make_conf_dir(const char *root);
int handover_touch_conf_dirs(const char *root);
int handover_update_denied(const char *root, uid_t uid);
int handover_is_closed(const char *root, uid_t uid);
int handover_forget_denied(const char *root, uid_t uid);
