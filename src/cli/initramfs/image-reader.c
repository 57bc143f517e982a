/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ImageReader: see image-reader.h. Archives are read as the kernel does it; libarchive only decompresses. Owns
 * nothing.
 */

#include "cli/initramfs/image-reader.h"

#include <archive.h>
#include <assert.h>

#include "cli/initramfs/image-limits.h"

#define BLOCK_SIZE ((size_t) 64 << 10)
#define NO_FILTERS 1                    /* libarchive counts the file itself */

static inline void archive_freep(struct archive **a) {
        if (*a)
                (void) archive_read_free(*a);
}

typedef struct Reading {
        ImageFiles *files;
        uint64_t n_entries_left;
        bool is_between;                /* archives, rather than in one */
} Reading;

static int on_entry(const CpioEntry *e, ByteSource *s, void *userdata) {
        Reading *reading = userdata;

        return image_files_take(reading->files, e, s);
}

static ssize_t read_file_bytes(void *userdata, void *buf, size_t size) {
        ssize_t n = read(*(int *) userdata, buf, size);

        return n < 0 ? -errno : n;
}

/* What is decompressed comes in blocks, and an error only with the block that cannot be had. */
typedef struct Unpacking {
        struct archive *archive;
        const uint8_t *block;           /* borrowed, until the next one */
        size_t size;
} Unpacking;

static ssize_t read_unpacked_bytes(void *userdata, void *buf, size_t size) {
        Unpacking *u = userdata;

        while (u->size == 0) {
                const void *block;
                la_int64_t offset;
                int r = archive_read_data_block(u->archive, &block, &u->size, &offset);

                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK)
                        return archive_errno(u->archive) == ENOMEM ? -ENOMEM : -EUCLEAN;
                u->block = block;
        }
        size = MIN(size, u->size);
        memcpy(buf, u->block, size);
        u->block += size;
        u->size -= size;
        return (ssize_t) size;
}

/*
 * Archives, and zeros between them, as long as there are any.
 * Return: 1: something else follows; 0: the end; negative errno.
 */
static int read_archives(Reading *reading, ByteSource *s) {
        for (;;) {
                char magic[6];
                int r;

                reading->is_between = true;
                r = byte_source_skip_zeros(s);
                if (r <= 0)
                        return r;
                r = byte_source_peek(s, magic, sizeof(magic));
                if (r < 0)
                        return r;
                if (r < (int) sizeof(magic) || !cpio_archive_begins(magic))
                        return 1;
                reading->is_between = false;
                reading->files->n_archives++;
                r = cpio_archive_read(s, &reading->n_entries_left, on_entry, reading);
                if (r < 0)
                        return r;
        }
}

/* Those that libarchive knows itself; for others it would start programs. */
static int support_filters(struct archive *a) {
        static int (*const filters[])(struct archive *) = {
                archive_read_support_filter_gzip, archive_read_support_filter_xz,
                archive_read_support_filter_zstd, archive_read_support_filter_lz4,
                archive_read_support_filter_lzma, archive_read_support_filter_bzip2,
        };

        for (size_t i = 0; i < ARRAY_LEN(filters); i++)
                if (filters[i](a) != ARCHIVE_OK)
                        return -EOPNOTSUPP;
        return archive_read_support_format_raw(a) == ARCHIVE_OK ? 0 : -EOPNOTSUPP;
}

/* @fd: at the beginning of what is compressed. @first: anything but an archive is an error only there. */
static int read_compressed(Reading *reading, int fd, uint64_t size_max, bool first) {
        _cleanup_(archive_freep) struct archive *a = archive_read_new();
        _cleanup_(byte_source_freep) ByteSource *s = NULL;
        unsigned before = reading->files->n_archives;
        Unpacking unpacking = { .archive = a };
        struct archive_entry *entry;
        int r;

        if (!a)
                return -ENOMEM;
        r = support_filters(a);
        if (r < 0)
                return r;
        if (archive_read_open_fd(a, fd, BLOCK_SIZE) != ARCHIVE_OK ||
            archive_read_next_header(a, &entry) != ARCHIVE_OK)
                return archive_errno(a) == ENOMEM ? -ENOMEM : -EUCLEAN;
        if (archive_filter_count(a) <= NO_FILTERS)
                return first ? -EBADMSG : 0;
        r = byte_source_new(&s, read_unpacked_bytes, &unpacking, size_max);
        if (r < 0)
                return r;
        r = read_archives(reading, s);
        if (r == -EUCLEAN && reading->is_between && reading->files->n_archives > before)
                return 0;               /* what is behind it, such as zeros that fill a block */
        return r > 0 ? -EBADMSG : r;
}

/**
 * image_read() - the configuration of modules in an initramfs
 * @fd:       a regular file, at its beginning
 * @size_max: bytes of the file, and of what it unpacks to
 * @ret:      to be cleared, also after a failure
 *
 * What is behind an archive and no archive is passed over, as by the kernel.
 *
 * Return: 0; -EBADMSG: it is no initramfs; -ENODATA: it is truncated; -EUCLEAN: it cannot be decompressed; -EFBIG: it
 * is larger than any; -ENOMEM; what read(2) says.
 */
int image_read(int fd, uint64_t size_max, ImageFiles *ret) {
        Reading reading = { .files = ret, .n_entries_left = ENTRIES_MAX };
        _cleanup_(byte_source_freep) ByteSource *s = NULL;
        int r;

        assert(fd >= 0 && ret);

        r = byte_source_new(&s, read_file_bytes, &fd, size_max);
        if (r < 0)
                return r;
        r = read_archives(&reading, s);
        if (r < 0)
                return r;
        if (r == 0)
                return ret->n_archives > 0 ? 0 : -EBADMSG;
        if (lseek(fd, (off_t) byte_source_position(s), SEEK_SET) < 0)
                return -errno;
        return read_compressed(&reading, fd, size_max, ret->n_archives == 0);
}

/* What is wrong with an image, to stand behind its name. */
const char *image_error_words(int error) {
        switch (error) {
        case -EBADMSG:
                return "is no initramfs: it has no cpio archive where the kernel would look for one";
        case -ENODATA:
                return "is truncated";
        case -EUCLEAN:
                return "cannot be decompressed: it is damaged, truncated, or compressed in an unknown way";
        case -EFBIG:
                return "unpacks to more than any initramfs has";
        default:
                return strerror(-error);
        }
}
