/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * IndexImage: see index-image.h. Owns nothing. The file has a header, which says where each part is, and
 * then the parts, each at a multiple of 8 bytes. Numbers are those of the machine: the magic number says
 * whether they can be read here.
 *
 * The checksum tells a file that is torn or damaged; it is no proof of who wrote it. That the numbers in the
 * parts lead nowhere else is checked by those who use them.
 */

#include "common/index/index-image.h"

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/checked-file.h"
#include "common/base/hash.h"
#include "common/base/limits.h"
#include "common/base/util.h"

#define IMAGE_MAGIC (0x4C4B4D4449580000U + IMAGE_FORMAT) /* "LKMDIX" */
#define ALIGNMENT 8U

typedef struct Span {
        uint64_t offset, size;          /* bytes */
} Span;

typedef struct Header {
        uint64_t magic;
        uint64_t checksum;              /* of everything behind it */
        uint64_t size;                  /* of the file */
        Span parts[_IMAGE_PART_MAX];
} Header;

static uint64_t checksum(const void *image, size_t size) {
        size_t before = offsetof(Header, size);

        return hash_words((const uint8_t *) image + before, size - before);
}

/* Write the checksum of the bytes; for index_image_compose(), and for tests that change an image. */
void index_image_seal(void *image, size_t size) {
        uint64_t sum;

        assert(image && size >= sizeof(Header));

        sum = checksum(image, size);
        memcpy((uint8_t *) image + offsetof(Header, checksum), &sum, sizeof(sum));
}

/**
 * index_image_compose() - make the bytes of a file
 * @parts: _IMAGE_PART_MAX, without gaps in their memory
 * @ret:   to be freed
 *
 * Return: 0; -EFBIG; -ENOMEM.
 */
int index_image_compose(const struct iovec *parts, void **ret, size_t *ret_size) {
        Header h = { .magic = IMAGE_MAGIC, .size = sizeof(h) };
        uint8_t *image;

        assert(parts && ret && ret_size);

        for (size_t i = 0; i < _IMAGE_PART_MAX; i++) {
                h.parts[i] = (Span) { .offset = h.size, .size = parts[i].iov_len };
                h.size += parts[i].iov_len + -parts[i].iov_len % ALIGNMENT;
                if (parts[i].iov_len > INDEX_IMAGE_MAX || h.size > INDEX_IMAGE_MAX)
                        return -EFBIG;
        }
        image = calloc(1, h.size);
        if (!image)
                return -ENOMEM;
        for (size_t i = 0; i < _IMAGE_PART_MAX; i++)
                if (parts[i].iov_len > 0)
                        memcpy(image + h.parts[i].offset, parts[i].iov_base, parts[i].iov_len);
        memcpy(image, &h, sizeof(h));
        index_image_seal(image, h.size);

        *ret = image;
        *ret_size = h.size;
        return 0;
}

/**
 * index_image_parse() - find the parts
 * @image:     at a multiple of 8 bytes
 * @ret_parts: _IMAGE_PART_MAX, inside of @image
 *
 * Return: NULL; else why it is no image, in words.
 */
const char *index_image_parse(const void *image, size_t size, struct iovec *ret_parts) {
        Header h;

        assert(image && ret_parts);

        if (size < sizeof(h))
                return "it is cut short";
        memcpy(&h, image, sizeof(h));
        if (h.magic != IMAGE_MAGIC)
                return "it has another format, or is of another machine";
        if (h.size != size)
                return "it is cut short";
        if (h.checksum != checksum(image, size))
                return "it is damaged";
        for (size_t i = 0; i < _IMAGE_PART_MAX; i++) {
                const Span *s = &h.parts[i];

                if (s->offset % ALIGNMENT != 0 || s->offset > size || s->size > size - s->offset)
                        return "a part of it is not in it";
                ret_parts[i] = (struct iovec) { (uint8_t *) image + s->offset, s->size };
        }
        return NULL;
}

static const char *map_file(int fd, struct iovec *ret) {
        struct stat st;
        void *image;

        if (fstat(fd, &st) < 0)
                return strerrordesc_np(errno);
        if (st.st_size <= 0 || st.st_size > (off_t) INDEX_IMAGE_MAX)
                return "its size is impossible";
        /* All of it is read for the checksum; one call is faster than a page fault for each few pages. */
        image = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (image == MAP_FAILED)
                return strerrordesc_np(errno);
        *ret = (struct iovec) { image, (size_t) st.st_size };
        return NULL;
}

/**
 * index_image_map() - map the file of a kernel, if only this user or root can have written it
 * @dir:        absolute
 * @ret:        for munmap(2); not parsed
 * @ret_reason: why there is nothing, in words; static
 *
 * Root or this user alone can cut the file short while it is mapped, which would end this process (SIGBUS).
 *
 * Return: 0; -ENOENT: there is no such file; -EBADMSG: it is not to be used.
 */
int index_image_map(const char *dir, const char *release, struct iovec *ret, const char **ret_reason) {
        _cleanup_(closep) int dir_fd = -EBADF, fd = -EBADF;

        assert(dir && release && ret && ret_reason);

        dir_fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir_fd < 0) {
                *ret_reason = "there is no directory for it";
                return errno == ENOENT ? -ENOENT : -EBADMSG;
        }
        fd = checked_file_open(dir_fd, release, geteuid(), ret_reason);
        if (fd < 0)
                return fd == -ENOENT ? -ENOENT : -EBADMSG;
        *ret_reason = map_file(fd, ret);
        return *ret_reason ? -EBADMSG : 0;
}
