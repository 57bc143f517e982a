/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ByteSource: see byte-source.h. Owns its buffer. */

#include "cli/initramfs/byte-source.h"

#include <assert.h>

#define BUFFER_SIZE ((size_t) 64 << 10)

struct ByteSource {
        byte_source_read_t read;
        void *userdata;
        uint64_t position;              /* of what is taken next */
        uint64_t limit;
        size_t begin, end;              /* of what is in the buffer */
        uint8_t buffer[BUFFER_SIZE];
};

/**
 * byte_source_new() - begin to read
 * @limit: bytes after which it ends with -EFBIG
 *
 * Return: 0; -ENOMEM.
 */
int byte_source_new(ByteSource **ret, byte_source_read_t read, void *userdata, uint64_t limit) {
        ByteSource *s;

        assert(ret && read);

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->read = read;
        s->userdata = userdata;
        s->limit = limit;
        *ret = s;
        return 0;
}

/* Return: NULL. */
ByteSource *byte_source_free(ByteSource *s) {
        free(s);
        return NULL;
}

/* How many bytes have been taken. */
uint64_t byte_source_position(const ByteSource *s) {
        assert(s);

        return s->position;
}

/* Return: bytes in the buffer, which are less than @wanted only at the end; negative errno. */
static ssize_t fill(ByteSource *s, size_t wanted) {
        assert(wanted <= BUFFER_SIZE);

        if (s->end - s->begin >= wanted)
                return (ssize_t) (s->end - s->begin);
        memmove(s->buffer, s->buffer + s->begin, s->end - s->begin);
        s->end -= s->begin;
        s->begin = 0;
        while (s->end < wanted) {
                ssize_t n = s->read(s->userdata, s->buffer + s->end, BUFFER_SIZE - s->end);

                if (n < 0)
                        return n;
                if (n == 0)
                        break;
                s->end += (size_t) n;
                if (s->position + s->end > s->limit)
                        return -EFBIG;
        }
        return (ssize_t) s->end;
}

static void advance(ByteSource *s, size_t n) {
        s->begin += n;
        s->position += n;
}

/**
 * byte_source_peek() - the bytes that come next, which stay there
 *
 * Return: how many of @size there are; negative errno.
 */
int byte_source_peek(ByteSource *s, void *buf, size_t size) {
        ssize_t n;

        assert(s && buf && size <= BUFFER_SIZE);

        n = fill(s, size);
        if (n < 0)
                return (int) n;
        n = (ssize_t) MIN((size_t) n, size);
        memcpy(buf, s->buffer + s->begin, (size_t) n);
        return (int) n;
}

/* Return: 0; -ENODATA: it ends before; negative errno. */
int byte_source_take(ByteSource *s, void *buf, size_t size) {
        uint8_t *p = buf;

        assert(s && buf);

        while (size > 0) {
                ssize_t n = fill(s, 1);
                size_t part;

                if (n <= 0)
                        return n < 0 ? (int) n : -ENODATA;
                part = MIN((size_t) n, size);
                memcpy(p, s->buffer + s->begin, part);
                advance(s, part);
                p += part;
                size -= part;
        }
        return 0;
}

/* Return: 0; -ENODATA: it ends before; negative errno. */
int byte_source_skip(ByteSource *s, uint64_t n) {
        assert(s);

        while (n > 0) {
                ssize_t there = fill(s, 1);
                size_t part;

                if (there <= 0)
                        return there < 0 ? (int) there : -ENODATA;
                part = (size_t) MIN((uint64_t) there, n);
                advance(s, part);
                n -= part;
        }
        return 0;
}

/* Return: 1: something follows; 0: the end; negative errno. */
int byte_source_skip_zeros(ByteSource *s) {
        assert(s);

        for (;;) {
                ssize_t n = fill(s, 1);

                if (n <= 0)
                        return (int) n;
                while (s->begin < s->end && s->buffer[s->begin] == 0)
                        advance(s, 1);
                if (s->begin < s->end)
                        return 1;
        }
}
