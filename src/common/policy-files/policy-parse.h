/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "common/base/problem-list.h"
#include "common/policy/policy-file.h"

/* PolicyParse: makes a PolicyFile of a YAML file or of its text. */

/*
 * Return: 0; -EBADMSG: it is broken, and @problems says where (file:line:column); -ENOMEM. Reading also returns
 * the errno of the file, with a problem; -EPERM: others can write it.
 */
int policy_file_parse(PolicyFile **ret, const char *path, PolicyFileKind kind, const char *text, size_t size,
                      ProblemList *problems);
int policy_file_read(PolicyFile **ret, const char *path, PolicyFileKind kind, bool trusted_only,
                     ProblemList *problems);
/* The same, but without a problem if the file does not exist (-ENOENT). */
int policy_file_read_if_there(PolicyFile **ret, const char *path, PolicyFileKind kind, bool trusted_only,
                              ProblemList *problems);
/* Return: 0; -EPERM, with a problem: others than root can write the file of @st. */
int policy_check_trust(const char *path, const struct stat *st, ProblemList *problems);
/* The same for a directory, which need not exist, all directories above it, and the targets of links. */
int policy_check_directory(const char *path, ProblemList *problems);
/* Whether a file that cannot be used may contain "default: deny"; also true if it cannot be read. */
bool policy_file_may_deny(const char *path);
