/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/kmod/kmod-library.h"
#include "cli/kmod/tool.h"

/* ToolInsert: what a tool asks before it passes the file of a module to the kernel by itself; and its parameters. */

int tool_parameters_join(char *const *words, char **ret);
int tool_insert_is_allowed(struct kmod_module *module, ToolStatus *ret_status);
