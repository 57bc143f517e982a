/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* RootFile: files that only root can have written, at the end of paths that only root can have made. */

typedef int (*root_file_directory_t)(int fd, void *userdata); /* @fd: O_PATH, borrowed */

int root_file_trace(const char *path, root_file_directory_t directory, void *userdata);
int root_file_find(const char *path);
int root_file_check(int fd);
int root_file_reopen(int fd);
int root_file_read(const char *path, size_t size_max, char **ret, size_t *ret_size);
