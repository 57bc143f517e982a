/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* ReadFile: whole files in memory. */
int read_file_open(const char *path);
int read_file(int fd, size_t size_max, char **ret, size_t *ret_size);
