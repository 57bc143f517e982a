/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

/* Process: what /proc says of one. @proc is the directory that stands for /proc. */

int process_parent(const char *proc, pid_t pid, pid_t *ret);
int process_command_new(const char *proc, pid_t pid, char **ret);
int process_unit_new(const char *proc, pid_t pid, char **ret);
