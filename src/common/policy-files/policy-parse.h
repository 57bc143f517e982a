/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "common/base/problem-list.h"
#include "common/policy/policy-file.h"

/* PolicyParse: from a file of YAML, or from its text, to a PolicyFile. */

/*
 * Return: 0; -EBADMSG: it is broken, and @problems says where (file:line:column); -ENOMEM. Of reading also
 * the errno of the file, with a problem said; -EPERM: others could write it.
 */
int policy_file_parse(PolicyFile **ret, const char *path, PolicyFileKind kind, const char *text, size_t size,
                      ProblemList *problems);
int policy_file_read(PolicyFile **ret, const char *path, PolicyFileKind kind, bool trusted_only,
                     ProblemList *problems);
/* The same, but says nothing of a file that is not there (-ENOENT). */
int policy_file_read_if_there(PolicyFile **ret, const char *path, PolicyFileKind kind, bool trusted_only,
                              ProblemList *problems);
/* -EPERM, with a problem, unless only root could have written what @st is of. */
int policy_check_trust(const char *path, const struct stat *st, ProblemList *problems);
/* Likewise of a directory and of all above it, whether it is there or not, and of what links lead to. */
int policy_check_directory(const char *path, ProblemList *problems);
/* Could a file that cannot be used say "default: deny"? Also if it cannot be read. */
bool policy_file_may_deny(const char *path);
