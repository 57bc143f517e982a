/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/policy-file.h"

/* How a PolicyFile gets what it owns, from whatever it is read. NULL or -ENOMEM: no memory. */
PolicyFile *policy_file_new(const char *path, PolicyFileKind kind);
PolicyRule *policy_file_add_rule(PolicyFile *f, PolicySource source, unsigned line, unsigned column);
PolicyInclude *policy_file_add_include(PolicyFile *f);
int policy_file_keep(PolicyFile *f, const void *items, size_t n, size_t size, void *ret_copy);

/* Makes room for one more; for arrays that are given no number of what fits. */
int array_grow(void *items, size_t n, size_t size);
