/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "daemon/config/image-file.h"
#include "scratch.h"

static int setup(void **state) {
        Scratch *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        scratch_open(s);
        scratch_mkdir(s, "images");
        scratch_mkdir(s, "modules/1.0");
        *state = s;
        return 0;
}

static int teardown(void **state) {
        Scratch *s = *state;

        scratch_close(s);
        free(s);
        return 0;
}

static void assert_content(const Scratch *s, const char *name, const char *expected) {
        char text[64] = "";
        int fd = open(scratch_path(s, name), O_RDONLY);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

        if (fd >= 0)
                (void) close(fd);
        if (expected)
                assert_int_equal(n, strlen(expected));
        else
                assert_true(fd < 0);
        assert_string_equal(text, expected ?: "");
}

static size_t count_files(const Scratch *s) {
        _cleanup_(closedirp) DIR *dir = opendir(scratch_path(s, "images"));
        size_t n = 0;

        assert_non_null(dir);
        while (readdir(dir))
                n++;
        return n - 2;
}

static void test_write(void **state) {
        Scratch *s = *state;
        const char *dir = scratch_path(s, "images");
        struct stat st;

        assert_ok(image_file_write(dir, "1.0", "first", 5));
        assert_content(s, "images/1.0", "first");
        assert_int_equal(stat(scratch_path(s, "images/1.0"), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
        assert_ok(image_file_write(dir, "1.0", "second", 6));
        assert_content(s, "images/1.0", "second");
        assert_int_equal(count_files(s), 1);

        assert_int_equal(image_file_write(dir, ".1", "x", 1), -EINVAL);
        assert_int_equal(image_file_write(scratch_path(s, "none"), "1.0", "x", 1), -ENOENT);
        scratch_link(s, "link", "images");
        assert_true(image_file_write(scratch_path(s, "link"), "1.0", "x", 1) < 0);
        assert_content(s, "images/1.0", "second");
}

/* A file of the same name that is in the way: a link is replaced, not followed. */
static void test_link_in_the_way(void **state) {
        Scratch *s = *state;

        scratch_write(s, "other", "other");
        scratch_link(s, "images/1.0", "../other");
        assert_ok(image_file_write(scratch_path(s, "images"), "1.0", "image", 5));
        assert_content(s, "images/1.0", "image");
        assert_content(s, "other", "other");
}

/* As on a full disk: the old one stays, and nothing is left of the new one. */
static void test_no_room(void **state) {
        struct rlimit before, now;
        Scratch *s = *state;
        char large[8192] = {};

        assert_ok(image_file_write(scratch_path(s, "images"), "1.0", "old", 3));
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        (void) signal(SIGXFSZ, SIG_IGN);
        now = (struct rlimit) { 4096, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
        assert_int_equal(image_file_write(scratch_path(s, "images"), "1.0", large, sizeof(large)), -EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_content(s, "images/1.0", "old");
        assert_int_equal(count_files(s), 1);
}

static void set_time(const Scratch *s, const char *name, time_t sec) {
        const struct timespec times[] = { { sec, 0 }, { sec, 0 } };

        assert_int_equal(utimensat(AT_FDCWD, scratch_path(s, name), times, 0), 0);
}

static void test_tidy(void **state) {
        Scratch *s = *state;
        char name[64];

        scratch_write(s, "images/0.9", "of a kernel that is gone");
        scratch_write(s, "images/1.0", "of this one");
        scratch_write(s, "images/.17", "being written");
        scratch_write(s, "images/.18", "left behind");
        scratch_mkdir(s, "images/dir");
        set_time(s, "images/.18", 1000);
        assert_ok(image_file_tidy(scratch_path(s, "images"), "1.0", scratch_path(s, "modules")));
        assert_content(s, "images/0.9", NULL);
        assert_content(s, "images/1.0", "of this one");
        assert_content(s, "images/.17", "being written");
        assert_content(s, "images/.18", NULL);

        for (unsigned i = 0; i < INDEX_IMAGES_MAX + 3; i++) {
                (void) snprintf(name, sizeof(name), "modules/2.%u", i);
                scratch_mkdir(s, name);
                (void) snprintf(name, sizeof(name), "images/2.%u", i);
                scratch_write(s, name, "image");
                set_time(s, name, 100000 - (time_t) i);
        }
        set_time(s, "images/1.0", 1);
        assert_ok(image_file_tidy(scratch_path(s, "images"), "1.0", scratch_path(s, "modules")));
        assert_int_equal(count_files(s), INDEX_IMAGES_MAX + 2); /* and what is no image */
        assert_content(s, "images/1.0", "of this one");
        assert_content(s, "images/2.0", "image");
        (void) snprintf(name, sizeof(name), "images/2.%u", INDEX_IMAGES_MAX + 2);
        assert_content(s, name, NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_write, setup, teardown),
                cmocka_unit_test_setup_teardown(test_link_in_the_way, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
                cmocka_unit_test_setup_teardown(test_tidy, setup, teardown),
        };

        return RUN_TESTS(tests);
}
