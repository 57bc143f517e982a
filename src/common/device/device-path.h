/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* DevicePath: which device in /sys a path means. */

bool device_path_is_sound(const char *path);
int device_path_resolve(const char *path, char **ret);
