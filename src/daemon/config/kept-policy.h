/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/policy/policy.h"

/*
 * KeptPolicy: a copy of the files of the last policy that could be read whole, for a start at which some file is
 * broken. The copied files keep their names, so that messages name the original file and line.
 */

/* @root: prefix of all paths; a copy is valid for the same root and directories only. */
int kept_policy_print(const Policy *p, const char *root, char **ret, size_t *ret_size);
int kept_policy_parse(Policy **ret, const char *root, const char *text, size_t size, const PolicyOptions *options);

int kept_policy_write(const Policy *p, const char *root);
int kept_policy_read(Policy **ret, const char *root, const PolicyOptions *options);
