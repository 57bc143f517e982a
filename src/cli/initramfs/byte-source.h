/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/util.h"

/* ByteSource: bytes that come one after the other, from a file or from what decompresses one, up to a limit. */
typedef struct ByteSource ByteSource;

/* Return: bytes read; 0 at the end; negative errno. */
typedef ssize_t (*byte_source_read_t)(void *userdata, void *buf, size_t size);

int byte_source_new(ByteSource **ret, byte_source_read_t read, void *userdata, uint64_t limit);
ByteSource *byte_source_free(ByteSource *s);
DEFINE_CLEANUP(ByteSource, byte_source_free);

uint64_t byte_source_position(const ByteSource *s);
int byte_source_peek(ByteSource *s, void *buf, size_t size);
int byte_source_take(ByteSource *s, void *buf, size_t size);
int byte_source_skip(ByteSource *s, uint64_t n);
int byte_source_skip_zeros(ByteSource *s);
