/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* UdevGuard: the files of lkmd-handover. @root: prefix of all paths for tests; "": none. */

int handover_answer_call(const char *root);
int handover_find_cgroup(const char *root, const char *self_cgroup, char **ret);
int handover_guard(const char *root, const char *cgroup);

int handover_take_run_dir(const char *root);
int handover_open_charge(const char *root, uid_t uid, gid_t gid);
int handover_read_charge(const char *root, mode_t *ret);
int handover_set_charge(const char *root, mode_t clear, mode_t set);

bool handover_is_listening(FILE *sockets, const char *path);
