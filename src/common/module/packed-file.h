/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* PackedFile: what is in a module file that xz, zstd or gzip has compressed, within bounds. */

#define PACKED_FILE_MAGIC_MAX 6U        /* bytes of a file by which it is known */

bool packed_file_is_packed(const unsigned char *begin, size_t n);
int packed_file_head(int fd, unsigned char *ret, size_t size, size_t *ret_n);
int packed_file_unpack(int fd);
