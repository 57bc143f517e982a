/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* RootFile: files that only root can have written, at the end of paths that only root can have made. */

int root_file_find(const char *path);
int root_file_check(int fd);
int root_file_reopen(int fd);
int root_file_read(const char *path, size_t size_max, char **ret, size_t *ret_size);
