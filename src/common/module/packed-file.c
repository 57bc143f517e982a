/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PackedFile: reads compressed module files as a stream, so that their beginning costs no more than a beginning, and
 * a small file that would fill the memory is given up on. libkmod has neither.
 *
 * The libraries are those that libkmod opens, and they are opened as there: when a file needs one, and if it is
 * there. Linked, they would be part of each lkmd at rest, and of the package of a distribution that compresses no
 * modules. Owns nothing but open libraries.
 */

#include "common/module/packed-file.h"

#include <assert.h>
#include <dlfcn.h>
#include <lzma.h>
#include <stdint.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "common/base/limits.h"
#include "common/base/util.h"

#define CHUNK ((size_t) 64 << 10)

/* One file on its way. The functions of a format move @in and @out forward. */
typedef struct Stream {
        const unsigned char *in;
        size_t n_in;
        unsigned char *out;
        size_t n_out;                   /* room */
        void *state;                    /* of the format */
} Stream;

/* Gets what has been unpacked. Return: 0; 1: that is enough; negative errno. */
typedef int (*take_t)(const unsigned char *data, size_t n, void *userdata);

typedef struct Format {
        const char *magic;
        size_t n_magic;
        int (*begin)(Stream *s);        /* -EOPNOTSUPP: there is no library for it */
        int (*go_on)(Stream *s);        /* 0; 1: that was the end; -EBADMSG; -EFBIG: it needs too much; -ENOMEM */
        void (*end)(Stream *s);
} Format;

/* ------------------------------------------------------------------------------------------------ libraries */

/* Return: NULL: it is not there, or lacks a function of these names. */
static bool open_library(const char *name, const char *const *symbols, void **ret, size_t n) {
        void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

        if (!library)
                return false;
        for (size_t i = 0; i < n; i++) {
                ret[i] = dlsym(library, symbols[i]);
                if (!ret[i])
                        return false;
        }
        return true;
}

/* Fills a static struct of function pointers, once. */
#define OPEN_LIBRARY(name, functions, ...)                                                                     \
        ({                                                                                                     \
                static const char *const _symbols[] = { __VA_ARGS__ };                                         \
                static bool _opened;                                                                           \
                void *_found[ARRAY_LEN(_symbols)];                                                             \
                                                                                                 \
                static_assert(sizeof(functions) == sizeof(_found), "a pointer for each symbol");               \
                if (!_opened && open_library(name, _symbols, _found, ARRAY_LEN(_symbols))) {                   \
                        memcpy(&(functions), _found, sizeof(_found));                                          \
                        _opened = true;                                                                        \
                }                                                                                              \
                _opened;                                                                                       \
        })

/* -------------------------------------------------------------------------------------------------------- xz */

static struct {
        typeof(&lzma_stream_decoder) stream_decoder;
        typeof(&lzma_code) code;
        typeof(&lzma_end) end;
} lzma;

static int xz_begin(Stream *s) {
        lzma_stream *state;

        if (!OPEN_LIBRARY("liblzma.so.5", lzma, "lzma_stream_decoder", "lzma_code", "lzma_end"))
                return -EOPNOTSUPP;
        state = malloc(sizeof(*state));
        if (!state)
                return -ENOMEM;
        *state = (lzma_stream) LZMA_STREAM_INIT;
        if (lzma.stream_decoder(state, MODULE_UNPACKER_MAX, 0) != LZMA_OK) {
                free(state);
                return -ENOMEM;
        }
        s->state = state;
        return 0;
}

static int xz_go_on(Stream *s) {
        lzma_stream *state = s->state;
        int r;

        state->next_in = s->in;
        state->avail_in = s->n_in;
        state->next_out = s->out;
        state->avail_out = s->n_out;
        r = lzma.code(state, LZMA_RUN);
        s->in = state->next_in;
        s->n_in = state->avail_in;
        s->out = state->next_out;
        s->n_out = state->avail_out;
        switch (r) {
        case LZMA_OK:
                return 0;
        case LZMA_STREAM_END:
                return 1;
        case LZMA_MEM_ERROR:
                return -ENOMEM;
        case LZMA_MEMLIMIT_ERROR:
                return -EFBIG;
        default:
                return -EBADMSG;
        }
}

static void xz_end(Stream *s) {
        lzma.end(s->state);
        free(s->state);
}

/* ------------------------------------------------------------------------------------------------------ zstd */

#define ZSTD_WINDOW_LOG 26              /* 64 MiB */

static struct {
        typeof(&ZSTD_createDStream) create;
        typeof(&ZSTD_DCtx_setParameter) set_parameter;
        typeof(&ZSTD_decompressStream) decompress;
        typeof(&ZSTD_isError) is_error;
        typeof(&ZSTD_getErrorCode) error_code;
        typeof(&ZSTD_freeDStream) free;
} zstd;

static int zstd_begin(Stream *s) {
        static_assert(1U << ZSTD_WINDOW_LOG <= MODULE_UNPACKER_MAX, "the window is most of what it needs");

        if (!OPEN_LIBRARY("libzstd.so.1", zstd, "ZSTD_createDStream", "ZSTD_DCtx_setParameter",
                          "ZSTD_decompressStream", "ZSTD_isError", "ZSTD_getErrorCode", "ZSTD_freeDStream"))
                return -EOPNOTSUPP;
        s->state = zstd.create();
        if (!s->state)
                return -ENOMEM;
        (void) zstd.set_parameter(s->state, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
        return 0;
}

static int zstd_go_on(Stream *s) {
        ZSTD_inBuffer in = { s->in, s->n_in, 0 };
        ZSTD_outBuffer out = { s->out, s->n_out, 0 };
        size_t r = zstd.decompress(s->state, &out, &in);

        s->in += in.pos;
        s->n_in -= in.pos;
        s->out += out.pos;
        s->n_out -= out.pos;
        if (!zstd.is_error(r))
                return r == 0;
        switch (zstd.error_code(r)) {
        case ZSTD_error_frameParameter_windowTooLarge:
                return -EFBIG;
        case ZSTD_error_memory_allocation:
                return -ENOMEM;
        default:
                return -EBADMSG;
        }
}

static void zstd_end(Stream *s) {
        (void) zstd.free(s->state);
}

/* ------------------------------------------------------------------------------------------------------ gzip */

#define Z_WINDOW_OF_GZIP (15 + 16)

static struct {
        typeof(&zlibVersion) version;
        typeof(&inflateInit2_) begin;   /* what inflateInit2() calls */
        typeof(&inflate) go_on;
        typeof(&inflateEnd) end;
} zlib;

static int gzip_begin(Stream *s) {
        z_stream *state;

        if (!OPEN_LIBRARY("libz.so.1", zlib, "zlibVersion", "inflateInit2_", "inflate", "inflateEnd"))
                return -EOPNOTSUPP;
        state = calloc(1, sizeof(*state));
        if (!state)
                return -ENOMEM;
        if (zlib.begin(state, Z_WINDOW_OF_GZIP, zlib.version(), (int) sizeof(*state)) != Z_OK) {
                free(state);
                return -ENOMEM;
        }
        s->state = state;
        return 0;
}

static int gzip_go_on(Stream *s) {
        z_stream *state = s->state;
        int r;

        state->next_in = (unsigned char *) s->in;
        state->avail_in = (unsigned) s->n_in;
        state->next_out = s->out;
        state->avail_out = (unsigned) s->n_out;
        r = zlib.go_on(state, Z_NO_FLUSH);
        s->in = state->next_in;
        s->n_in = state->avail_in;
        s->out = state->next_out;
        s->n_out = state->avail_out;
        return r == Z_OK || r == Z_BUF_ERROR ? 0
               : r == Z_STREAM_END           ? 1
               : r == Z_MEM_ERROR            ? -ENOMEM
                                             : -EBADMSG;
}

static void gzip_end(Stream *s) {
        (void) zlib.end(s->state);
        free(s->state);
}

/* --------------------------------------------------------------------------------------------------- reading */

static const Format formats[] = {
        { "\xfd" "7zXZ\0", 6, xz_begin, xz_go_on, xz_end },
        { "\x28\xb5\x2f\xfd", 4, zstd_begin, zstd_go_on, zstd_end },
        { "\x1f\x8b", 2, gzip_begin, gzip_go_on, gzip_end },
};

static const Format *find_format(const unsigned char *begin, size_t n) {
        for (size_t i = 0; i < ARRAY_LEN(formats); i++)
                if (n >= formats[i].n_magic && memcmp(begin, formats[i].magic, formats[i].n_magic) == 0)
                        return formats + i;
        return NULL;
}

/* Unpacks what is in @s->in. Return: 0; 1: that was the end, or enough; negative errno. */
static int unpack_chunk(const Format *format, Stream *s, unsigned char *room, take_t take, void *userdata) {
        for (;;) {
                int r, end;

                s->out = room;
                s->n_out = CHUNK;
                end = format->go_on(s);
                if (end < 0)
                        return end;
                r = s->n_out < CHUNK ? take(room, CHUNK - s->n_out, userdata) : 0;
                if (r != 0 || end)
                        return r < 0 ? r : 1;
                if (s->n_in == 0 && s->n_out > 0)
                        return 0;
                if (s->n_out == CHUNK && s->n_in > 0)
                        return -EBADMSG; /* there is input, and nothing comes of it */
        }
}

static int unpack_stream(int fd, const Format *format, Stream *s, take_t take, void *userdata) {
        _cleanup_(freep) unsigned char *chunks = malloc(2 * CHUNK);
        ssize_t n;
        int r;

        if (!chunks)
                return -ENOMEM;
        for (off_t at = 0;; at += n) {
                n = pread(fd, chunks, CHUNK, at);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EBADMSG; /* cut off */
                s->in = chunks;
                s->n_in = (size_t) n;
                r = unpack_chunk(format, s, chunks + CHUNK, take, userdata);
                if (r != 0)
                        return MIN(r, 0);
        }
}

static int unpack(int fd, take_t take, void *userdata) {
        unsigned char begin[PACKED_FILE_MAGIC_MAX];
        const Format *format;
        Stream s = {};
        ssize_t n;
        int r;

        n = pread(fd, begin, sizeof(begin), 0);
        if (n < 0)
                return -errno;
        format = find_format(begin, (size_t) n);
        if (!format)
                return -EINVAL;
        r = format->begin(&s);
        if (r < 0)
                return r;
        r = unpack_stream(fd, format, &s, take, userdata);
        format->end(&s);
        return r;
}

/* ------------------------------------------------------------------------------------------------ interface */

/* @begin: of a file, PACKED_FILE_MAGIC_MAX bytes if it has as many */
bool packed_file_is_packed(const unsigned char *begin, size_t n) {
        assert(begin);

        return find_format(begin, n);
}

typedef struct Head {
        unsigned char *bytes;
        size_t size, n;
} Head;

static int take_head(const unsigned char *data, size_t n, void *userdata) {
        Head *head = userdata;

        n = MIN(n, head->size - head->n);
        memcpy(head->bytes + head->n, data, n);
        head->n += n;
        return head->n == head->size;
}

/**
 * packed_file_head() - the first bytes of what is in a compressed file
 * @fd:    its position does not matter
 * @ret_n: how many there are, if less than @size
 *
 * Return: 0; -EINVAL: it is not compressed; -EOPNOTSUPP: there is no library for it here; -EFBIG: it needs more than
 * MODULE_UNPACKER_MAX; -EBADMSG: it is damaged; -ENOMEM; what pread(2) says.
 */
int packed_file_head(int fd, unsigned char *ret, size_t size, size_t *ret_n) {
        Head head = { ret, size, 0 };
        int r;

        assert(fd >= 0 && ret && size > 0 && ret_n);

        r = unpack(fd, take_head, &head);
        if (r < 0)
                return r;
        *ret_n = head.n;
        return 0;
}

typedef struct Copy {
        int fd;
        size_t n;
} Copy;

static int take_copy(const unsigned char *data, size_t n, void *userdata) {
        Copy *copy = userdata;

        copy->n += n;
        if (copy->n > MODULE_UNPACKED_MAX)
                return -EFBIG;
        while (n > 0) {
                ssize_t written = write(copy->fd, data, n);

                if (written < 0)
                        return -errno;
                data += written;
                n -= (size_t) written;
        }
        return 0;
}

/**
 * packed_file_unpack() - a copy in memory of what is in a compressed file
 *
 * Return: its descriptor; -EFBIG: also of more than MODULE_UNPACKED_MAX; else as packed_file_head().
 */
int packed_file_unpack(int fd) {
        _cleanup_(closep) int copy_fd = -EBADF;
        Copy copy = {};
        int r;

        assert(fd >= 0);

        copy_fd = memfd_create("lkmd-module", MFD_CLOEXEC);
        if (copy_fd < 0)
                return -errno;
        copy.fd = copy_fd;
        r = unpack(fd, take_copy, &copy);
        return r < 0 ? r : STEAL_FD(copy_fd);
}
