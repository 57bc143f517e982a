/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/*
 * CheckedFile: files in a directory whose owner may have been taken over. Whatever is there, the reader does
 * not block, follow a link or read without end.
 */

int checked_file_open(int dir_fd, const char *path, uid_t owner, const char **ret_reason);
int checked_file_read(int dir_fd, const char *path, uid_t owner, size_t size_max, char **ret, size_t *ret_size,
                      const char **ret_reason);
