/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CpioArchive: see cpio-archive.h; as the kernel's init/initramfs.c reads it. Owns nothing. */

#include "cli/initramfs/cpio-archive.h"

#include <assert.h>

#define HEADER_SIZE 110U
#define TRAILER "TRAILER!!!"

/* The fields behind the magic number, eight digits each. */
enum {
        INODE,
        MODE,
        UID,
        GID,
        N_LINKS,
        MTIME,
        SIZE,
        DEV_MAJOR,
        DEV_MINOR,
        RDEV_MAJOR,
        RDEV_MINOR,
        NAME_SIZE,
        CHECK
};

/* Do an archive's first bytes look so? */
bool cpio_archive_begins(const char magic[static 6]) {
        return memcmp(magic, "070701", 6) == 0 || memcmp(magic, "070702", 6) == 0;
}

static int parse_field(const char *digits, uint32_t *ret) {
        uint32_t value = 0;

        for (size_t i = 0; i < 8; i++) {
                const char *hex = "0123456789abcdef", *at;
                char c = digits[i] >= 'A' && digits[i] <= 'F' ? (char) (digits[i] - 'A' + 'a') : digits[i];

                at = c ? strchr(hex, c) : NULL;
                if (!at)
                        return -EBADMSG;
                value = value << 4 | (uint32_t) (at - hex);
        }
        *ret = value;
        return 0;
}

/* Up to the next multiple of four from where the archive began. */
static int skip_padding(ByteSource *s, uint64_t begin) {
        return byte_source_skip(s, (4 - (byte_source_position(s) - begin) % 4) % 4);
}

static int read_entry(ByteSource *s, uint64_t begin, CpioEntry *e) {
        char header[HEADER_SIZE];
        uint32_t fields[CHECK + 1];
        int r;

        r = byte_source_take(s, header, sizeof(header));
        if (r < 0)
                return r;
        if (!cpio_archive_begins(header))
                return -EBADMSG;
        for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
                r = parse_field(header + 6 + 8 * i, fields + i);
                if (r < 0)
                        return r;
        }
        if (fields[NAME_SIZE] == 0 || fields[NAME_SIZE] > CPIO_NAME_MAX)
                return -EBADMSG;
        r = byte_source_take(s, e->name, fields[NAME_SIZE]);
        if (r < 0)
                return r;
        if (e->name[fields[NAME_SIZE] - 1] != '\0')
                return -EBADMSG;
        e->inode = fields[INODE];
        e->mode = fields[MODE];
        e->n_links = fields[N_LINKS];
        e->size = fields[SIZE];
        e->device[0] = fields[DEV_MAJOR];
        e->device[1] = fields[DEV_MINOR];
        return skip_padding(s, begin);
}

/**
 * cpio_archive_read() - one archive, up to its trailer or its end
 * @s:              at the beginning of the archive; behind it afterwards
 * @n_entries_left: how many there may be yet
 *
 * Return: 0; -EBADMSG: it is no such archive; -ENODATA: it is truncated; -EFBIG: too many entries; what @on_entry and
 * the source say.
 */
int cpio_archive_read(ByteSource *s, uint64_t *n_entries_left, cpio_on_entry_t on_entry, void *userdata) {
        uint64_t begin = byte_source_position(s);
        int r;

        assert(s && n_entries_left && on_entry);

        for (;;) {
                CpioEntry e;

                r = read_entry(s, begin, &e);
                if (r < 0)
                        return r;
                if (streq(e.name, TRAILER))
                        return byte_source_skip(s, e.size);
                if ((*n_entries_left)-- == 0)
                        return -EFBIG;
                r = on_entry(&e, s, userdata);
                if (r == 0)
                        r = byte_source_skip(s, e.size);
                if (r >= 0)
                        r = skip_padding(s, begin);
                if (r < 0)
                        return r;
        }
}
