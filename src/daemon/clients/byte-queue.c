/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ByteQueue: bytes of a connection that were received and not parsed yet, or that are still to be sent. Owns its
 * buffer, and frees it as soon as it is empty, so that idle connections cost nothing.
 */

#include "daemon/clients/byte-queue.h"

#include <assert.h>

#include "common/base/util.h"

/**
 * byte_queue_put() - add to the end
 * @bytes: copied
 *
 * Return: 0 or -ENOMEM with nothing changed.
 */
int byte_queue_put(ByteQueue *q, const void *bytes, size_t size) {
        size_t held;

        assert(q && (bytes || size == 0));

        held = byte_queue_size(q);
        if (q->begin > 0 && q->allocated - q->end < size) {
                memmove(q->bytes, q->bytes + q->begin, held);
                q->begin = 0;
                q->end = held;
        }
        if (q->allocated - q->end < size) {
                size_t wanted = MAX(q->end + size, MIN(q->allocated * 2, q->allocated + (1U << 20)));
                char *grown = realloc(q->bytes, wanted);

                if (!grown)
                        return -ENOMEM;
                q->bytes = grown;
                q->allocated = wanted;
        }
        if (size > 0)
                memcpy(q->bytes + q->end, bytes, size);
        q->end += size;
        return 0;
}

/* Remove the oldest @size bytes, at most as many as there are. */
void byte_queue_drop(ByteQueue *q, size_t size) {
        assert(q && size <= byte_queue_size(q));

        q->begin += size;
        if (q->begin == q->end)
                byte_queue_clear(q);
}

void byte_queue_clear(ByteQueue *q) {
        assert(q);

        free(q->bytes);
        *q = (ByteQueue) {};
}
