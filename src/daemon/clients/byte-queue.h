/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* A queue of bytes. All zero: empty. An empty queue holds no memory. */
typedef struct ByteQueue {
        char *bytes;
        size_t begin, end, allocated;   /* what is in it: bytes[begin..end) */
} ByteQueue;

int byte_queue_put(ByteQueue *q, const void *bytes, size_t size);
void byte_queue_drop(ByteQueue *q, size_t size);
void byte_queue_clear(ByteQueue *q);

static inline const char *byte_queue_peek(const ByteQueue *q) {
        return q->bytes ? q->bytes + q->begin : NULL;
}

static inline size_t byte_queue_size(const ByteQueue *q) {
        return q->end - q->begin;
}
