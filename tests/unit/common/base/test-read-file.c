/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <sys/stat.h>

#include "common/base/read-file.h"
#include "common/base/util.h"
#include "scratch.h"

static void assert_reads(const char *path, size_t size_max, int error, const char *text, size_t size) {
        _cleanup_(closep) int fd = read_file_open(path);
        _cleanup_(freep) char *data = NULL;
        size_t n = 0;

        assert_ok(fd);
        assert_int_equal(read_file(fd, size_max, &data, &n), error);
        if (error < 0)
                return;
        assert_int_equal(n, size);
        assert_memory_equal(data, text, size + 1); /* with its NUL */
}

static void test_sizes(void **state) {
        static char text[10000];
        Scratch s;

        memset(text, 'x', sizeof(text) - 1);
        scratch_open(&s);
        scratch_write(&s, "large", text);
        scratch_write(&s, "empty", "");
        scratch_write_bytes(&s, "zero", "a\0b", 3);
        assert_reads(scratch_path(&s, "large"), 1U << 20, 0, text, 9999);
        assert_reads(scratch_path(&s, "large"), 9999, 0, text, 9999);
        assert_reads(scratch_path(&s, "large"), 9998, -EFBIG, NULL, 0);
        assert_reads(scratch_path(&s, "large"), 0, -EFBIG, NULL, 0);
        assert_reads(scratch_path(&s, "empty"), 0, 0, "", 0);
        assert_reads(scratch_path(&s, "zero"), 3, 0, "a\0b", 3);
        assert_reads("/dev/null", 3, 0, "", 0);
        scratch_close(&s);
}

/* A file of /proc does not say how large it is. */
static void test_without_size(void **state) {
        _cleanup_(closep) int fd = read_file_open("/proc/self/smaps");
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;

        assert_ok(fd);
        assert_ok(read_file(fd, 1U << 24, &text, &size));
        assert_true(size > 4096);
        assert_int_equal(strlen(text), size);
}

static void test_what_is_no_file(void **state) {
        Scratch s;

        scratch_open(&s);
        assert_int_equal(mkfifo(scratch_path(&s, "fifo"), 0600), 0);
        assert_int_equal(read_file_open(scratch_path(&s, "fifo")), -EBADF);
        assert_int_equal(read_file_open(s.dir), -EISDIR);
        assert_int_equal(read_file_open("/dev/zero"), -EBADF);
        assert_int_equal(read_file_open(scratch_path(&s, "missing")), -ENOENT);
        scratch_close(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_without_size),
                cmocka_unit_test(test_what_is_no_file),
        };

        return RUN_TESTS(tests);
}
