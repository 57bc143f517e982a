/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/base/util.h"
#include "common/module/packed-file.h"

/* Files of zstd, made by hand: RFC 8878. */
#define MAGIC "\x28\xb5\x2f\xfd"
#define WINDOW_1_MIB "\x00\x50"         /* frame header: a window descriptor, nothing else */
#define WINDOW_1_GIB "\x00\xa0"
#define BLOCK_MAX ((size_t) 128 << 10)

static int make_file(const void *data, size_t n) {
        int fd = memfd_create("packed", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, n), n);
        return fd;
}

static void test_heads(void **state) {
        static const struct {
                const char *file;
                size_t size;
                int error;
                const char *head;
        } cases[] = {
#define CASE(text, ...) { text, sizeof(text) - 1, __VA_ARGS__ }
                CASE(MAGIC WINDOW_1_MIB "\x29\x00\x00" "hello", 0, "hell"),
                CASE(MAGIC WINDOW_1_MIB "\x29\x00\x00" "hello, and what is behind it", 0, "hell"),
                CASE(MAGIC WINDOW_1_MIB "\x11\x00\x00" "he", 0, "he"),
                CASE(MAGIC WINDOW_1_MIB "\x01\x00\x00", 0, ""),
                CASE(MAGIC WINDOW_1_MIB "\x29\x00\x00" "he", -EBADMSG, NULL),
                CASE(MAGIC WINDOW_1_MIB, -EBADMSG, NULL),
                CASE(MAGIC, -EBADMSG, NULL),
                CASE(MAGIC WINDOW_1_MIB "\x07\x00\x00" "reserved", -EBADMSG, NULL),
                CASE(MAGIC WINDOW_1_GIB "\x29\x00\x00" "hello", -EFBIG, NULL),
                CASE("\xfd" "7zXZ\0" "not at all", -EBADMSG, NULL),
                CASE("\xfd" "7zXZ\0", -EBADMSG, NULL),
                CASE("\x1f\x8b", -EBADMSG, NULL),
                CASE("\x1f\x8b" "nor this one, which is long enough", -EBADMSG, NULL),
                CASE("\x7f" "ELF", -EINVAL, NULL),
                CASE("\x1f", -EINVAL, NULL),
                CASE("", -EINVAL, NULL),
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                _cleanup_(closep) int fd = make_file(cases[i].file, cases[i].size);
                unsigned char head[4] = {};
                size_t n = SIZE_MAX;

                if (packed_file_head(fd, head, sizeof(head), &n) != cases[i].error)
                        fail_msg("case %zu: %d", i, packed_file_head(fd, head, sizeof(head), &n));
                if (cases[i].error == 0) {
                        assert_int_equal(n, strlen(cases[i].head));
                        assert_memory_equal(head, cases[i].head, n);
                }
        }
}

/* A file of as many blocks of BLOCK_MAX equal bytes. */
static int make_bomb(size_t n_blocks) {
        int fd = make_file(MAGIC WINDOW_1_MIB, strlen(MAGIC) + 2);

        for (size_t i = 0; i < n_blocks; i++) {
                unsigned block = (unsigned) (i + 1 == n_blocks) | 1U << 1 | (unsigned) BLOCK_MAX << 3;
                const unsigned char bytes[] = { (unsigned char) block, (unsigned char) (block >> 8),
                                                (unsigned char) (block >> 16), 'x' };

                assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
        }
        return fd;
}

static void test_bounds(void **state) {
        size_t most = MODULE_UNPACKED_MAX / BLOCK_MAX;

        for (size_t n = most - 1; n <= most + 1; n++) {
                _cleanup_(closep) int fd = make_bomb(n), copy_fd = packed_file_unpack(fd);
                unsigned char head[8];
                size_t n_head = 0;
                struct stat st;

                assert_ok(packed_file_head(fd, head, sizeof(head), &n_head)); /* whatever follows */
                assert_memory_equal(head, "xxxxxxxx", sizeof(head));
                if (n > most) {
                        assert_int_equal(copy_fd, -EFBIG);
                        continue;
                }
                assert_true(copy_fd >= 0);
                assert_ok(fstat(copy_fd, &st));
                assert_int_equal(st.st_size, n * BLOCK_MAX);
        }
}

/* "hello", by xz --check=crc32, gzip -n and zstd --no-check. */
static const struct {
        const char *bytes;
        size_t n;
} samples[] = {
#define SAMPLE(text) { text, sizeof(text) - 1 }
        SAMPLE("\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x04\xc0\x09\x05\x21\x01\x16\x00\x00\x00\x00\x00"
               "\x00\x00\x00\x00\xbf\x79\x25\x67\x01\x00\x04\x68\x65\x6c\x6c\x6f\x00\x00\x00\x00\x86\xa6\x10\x36"
               "\x00\x01\x21\x05\x47\x54\x73\xdc\x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a"),
        SAMPLE("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"),
        SAMPLE("\x28\xb5\x2f\xfd\x00\x58\x29\x00\x00\x68\x65\x6c\x6c\x6f"),
};

static int unpack_bytes(const char *bytes, size_t n) {
        _cleanup_(closep) int fd = make_file(bytes, n), copy_fd = packed_file_unpack(fd);
        char text[8] = {};

        if (copy_fd < 0)
                return copy_fd;
        return pread(copy_fd, text, sizeof(text), 0) == 5 && streq(text, "hello") ? 1 : 0;
}

/* Every cut is noticed. Whatever else is damaged, the answer is one of those that there are. */
static void test_damage(void **state) {
        for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
                char copy[128];

                assert_true(samples[i].n <= sizeof(copy));
                assert_int_equal(unpack_bytes(samples[i].bytes, samples[i].n), 1);
                for (size_t n = PACKED_FILE_MAGIC_MAX; n < samples[i].n; n++)
                        if (unpack_bytes(samples[i].bytes, n) != -EBADMSG)
                                fail_msg("sample %zu, cut behind %zu bytes", i, n);
                for (size_t bit = 0; bit < 8 * samples[i].n; bit++) {
                        int r;

                        memcpy(copy, samples[i].bytes, samples[i].n);
                        copy[bit / 8] = (char) (copy[bit / 8] ^ 1 << bit % 8);
                        r = unpack_bytes(copy, samples[i].n);
                        if (r < 0 && r != -EBADMSG && r != -EFBIG && r != -EINVAL)
                                fail_msg("sample %zu, bit %zu: %d", i, bit, r);
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_heads),
                cmocka_unit_test(test_bounds),
                cmocka_unit_test(test_damage),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
