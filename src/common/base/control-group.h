/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* ControlGroup: what the path of a control group says of the processes in it. */
int control_group_unit(const char *path, char **ret);
int control_group_container(const char *path, char **ret);
bool control_group_is_users(const char *container);
