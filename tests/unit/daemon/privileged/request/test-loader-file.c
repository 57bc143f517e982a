/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "daemon/privileged/request/loader-file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "scratch.h"
#include "test.h"

static int try_open(const Scratch *s, const char *name) {
        int fd = loader_open_module(scratch_path(s, "lib/modules"), scratch_path(s, name));

        if (fd < 0)
                return fd;
        close(fd);
        return 0;
}

/* In a directory like that of a real system: nobody but root creates files above it. */
static void scratch_tree(Scratch *s) {
        scratch_open_below(s, "/var/lib");
        scratch_write(s, "lib/modules/1.0/kernel/a.ko", "x");
        scratch_write(s, "outside.ko", "x");
        scratch_write(s, "lib/modules-of-another/b.ko", "x");
}

static void test_opens_what_lies_within(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/a.ko"), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0//kernel/./a.ko"), 0);

        scratch_link(&s, "lib/modules/1.0/weak-updates/a.ko", "../kernel/a.ko");
        scratch_link(&s, "lib/modules/2.0", "1.0");
        scratch_link(&s, "lib/modules/1.0/extra", scratch_path(&s, "lib/modules/1.0/kernel"));
        assert_int_equal(try_open(&s, "lib/modules/1.0/extra/a.ko"), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/weak-updates/a.ko"), 0);
        assert_int_equal(try_open(&s, "lib/modules/2.0/kernel/a.ko"), 0);
}

/* As on a system whose /lib is usr/lib. */
static void test_root_that_is_a_link(void **state) {
        _cleanup_(scratch_close) Scratch s;
        int fd;

        scratch_tree(&s);
        scratch_link(&s, "short", "lib");
        fd = loader_open_module(scratch_path(&s, "short/modules"),
                                scratch_path(&s, "lib/modules/1.0/kernel/a.ko"));
        assert_true(fd >= 0);
        close(fd);
        fd = loader_open_module(scratch_path(&s, "short/modules"),
                                scratch_path(&s, "short/modules/1.0/kernel/a.ko"));
        assert_true(fd >= 0);
        close(fd);
        /* but what is written as lying elsewhere is not looked at */
        assert_int_equal(loader_open_module(scratch_path(&s, "lib/modules"),
                                            scratch_path(&s, "short/modules/1.0/kernel/a.ko")),
                         -EXDEV);
}

static void test_opens_nothing_else(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(try_open(&s, "outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules-of-another/b.ko"),
                         -EXDEV); /* the same beginning is not enough */
        assert_int_equal(try_open(&s, "lib/modules/../../outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/../../../outside.ko"), -EXDEV);

        assert_int_equal(loader_open_module(scratch_path(&s, "lib/modules"), "/etc/passwd"), -EXDEV);
        assert_int_equal(loader_open_module(scratch_path(&s, "lib/modules"), "/proc/self/status"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/../1.0/kernel/a.ko"),
                         -EXDEV); /* nobody writes it so */
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/.."), -EXDEV);

        /* depmod does not look there either */
        scratch_link(&s, "lib/modules/1.0/build", "../../..");
        scratch_link(&s, "lib/modules/1.0/source", "../../..");
        assert_int_equal(try_open(&s, "lib/modules/1.0/build/outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/source/outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/build/outside.ko"), -EXDEV);
        assert_int_equal(try_open(&s, "lib/modules/1.0/builder/outside.ko"), -ENOENT);
}

/* What dkms and NixOS do: root's links, through directories in which nobody else can put anything in the way. */
static void test_links_out_of_the_tree(void **state) {
        static const char link[] = "lib/modules/1.0/updates/m.ko";
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        scratch_write(&s, "dkms/x/m.ko", "x");
        scratch_link(&s, link, scratch_path(&s, "dkms/x/m.ko"));
        scratch_link(&s, "lib/modules/1.0/extra", "../../../dkms");
        assert_int_equal(try_open(&s, link), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/extra/x/m.ko"), 0);

        assert_int_equal(chmod(scratch_path(&s, "dkms/x/m.ko"), 0664), 0);
        assert_int_equal(try_open(&s, link), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, "dkms/x/m.ko"), 0644), 0);
        assert_int_equal(chmod(scratch_path(&s, "dkms/x"), 0775), 0);
        assert_int_equal(try_open(&s, link), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, "dkms/x"), 01777),
                         0); /* somebody may have made a hard link */
        assert_int_equal(try_open(&s, link), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, "dkms/x"), 0755), 0);
        assert_int_equal(chown(scratch_path(&s, "dkms"), 65534, 0), 0);
        assert_int_equal(try_open(&s, link), -EPERM);
        assert_int_equal(try_open(&s, "lib/modules/1.0/extra/x/m.ko"), -EPERM);
        assert_int_equal(chown(scratch_path(&s, "dkms"), 0, 0), 0);
        assert_int_equal(try_open(&s, link), 0);
        assert_int_equal(lchown(scratch_path(&s, link), 65534, 0), 0);
        assert_int_equal(try_open(&s, link), -EPERM);
}

/* A link of root's to a link of somebody's, and to what only the sticky bit protects. */
static void test_links_to_what_is_not_roots(void **state) {
        _cleanup_(scratch_close) Scratch s, t;

        scratch_tree(&s);
        scratch_open(&t);
        scratch_write(&t, "m.ko", "x");
        scratch_link(&s, "lib/modules/1.0/tmp.ko", scratch_path(&t, "m.ko"));
        assert_int_equal(try_open(&s, "lib/modules/1.0/tmp.ko"), -EPERM);

        scratch_link(&s, "theirs/m.ko", "../outside.ko");
        scratch_link(&s, "lib/modules/1.0/theirs.ko", "../../../theirs/m.ko");
        assert_int_equal(try_open(&s, "lib/modules/1.0/theirs.ko"), 0);
        assert_int_equal(lchown(scratch_path(&s, "theirs/m.ko"), 65534, 0), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/theirs.ko"), -EPERM);
}

static void test_only_regular_files(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(mkfifo(scratch_path(&s, "lib/modules/1.0/fifo.ko"), 0644), 0);
        scratch_link(&s, "lib/modules/1.0/null.ko", "/dev/null");
        assert_int_equal(try_open(&s, "lib/modules/1.0/fifo.ko"),
                         -EINVAL); /* without waiting for its other end */
        assert_int_equal(try_open(&s, "lib/modules/1.0/null.ko"), -EINVAL);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel"), -EINVAL);
}

/*
 * A device and a FIFO are not even opened: that may start the device, and the other end of the FIFO notices. A
 * name space of somebody else's has a /lib/modules too, and /proc leads there.
 */
static void test_opens_nothing_to_look_at_it(void **state) {
        _cleanup_(scratch_close) Scratch s;
        char back[512];
        int end;

        scratch_tree(&s);
        assert_int_equal(mkfifo(scratch_path(&s, "lib/modules/1.0/fifo.ko"), 0644), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/fifo.ko"), -EINVAL);
        end = open(scratch_path(&s, "lib/modules/1.0/fifo.ko"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        assert_int_equal(end, -1);
        assert_int_equal(errno, ENXIO); /* nobody reads */

        scratch_link(&s, "lib/modules/1.0/elsewhere", "/proc/self/root");
        assert_int_equal(try_open(&s, "lib/modules/1.0/elsewhere/etc/passwd"), -EXDEV);
        (void) snprintf(back, sizeof(back), "/proc/self/root%s", scratch_path(&s, "lib/modules/1.0/kernel"));
        scratch_link(&s, "lib/modules/1.0/back", back); /* which leads to a file that may be opened */
        assert_int_equal(try_open(&s, "lib/modules/1.0/back/a.ko"), -EXDEV);
        scratch_link(&s, "lib/modules/1.0/fd.ko", "/proc/self/fd/0");
        assert_true(try_open(&s, "lib/modules/1.0/fd.ko") < 0);
}

/* What it passes to the kernel belongs to root, and only root can write it. */
static void test_files_that_others_can_write(void **state) {
        static const char file[] = "lib/modules/1.0/kernel/a.ko";
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        assert_int_equal(chown(scratch_path(&s, file), 65534, 0), 0);
        assert_int_equal(try_open(&s, file), -EPERM);
        assert_int_equal(chown(scratch_path(&s, file), 0, 0), 0);
        assert_int_equal(chmod(scratch_path(&s, file), 0664), 0);
        assert_int_equal(try_open(&s, file), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, file), 0646), 0);
        assert_int_equal(try_open(&s, file), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, file), 0600), 0);
        assert_int_equal(try_open(&s, file), 0);
        assert_int_equal(chmod(scratch_path(&s, "lib/modules/1.0/kernel"), 0777), 0);
        assert_int_equal(try_open(&s, file), -EPERM);
        assert_int_equal(chmod(scratch_path(&s, "lib/modules/1.0/kernel"), 0755), 0);
        scratch_link(&s, "lib/modules/1.0/link.ko", "kernel/a.ko");
        assert_int_equal(try_open(&s, "lib/modules/1.0/link.ko"), 0);
        assert_int_equal(lchown(scratch_path(&s, "lib/modules/1.0/link.ko"), 65534, 0), 0);
        assert_int_equal(try_open(&s, "lib/modules/1.0/link.ko"), -EPERM);
}

static void test_names_of_files(void **state) {
        static const struct {
                const char *path, *module;
                bool same;
        } cases[] = {
                { "/lib/modules/1/kernel/snd-x.ko.xz", "snd_x", true },
                { "/lib/modules/1/kernel/snd_x.ko", "snd_x", true },
                { "/lib/modules/1/kernel/snd-x.ko", "snd-x", false }, /* names come normalised */
                { "/lib/modules/1/kernel/snd-x.ko", "snd_y", false },
                { "/lib/modules/1/kernel/snd-x.ko", "snd_", false },
                { "/lib/modules/1/kernel/snd-x.ko", "snd_x2", false },
                { "/lib/modules/1/kernel/.ko", "loop", false },
                { "/", "loop", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
                assert_int_equal(loader_file_is_called(cases[i].path, cases[i].module), cases[i].same);
}

static void test_what_is_not_there(void **state) {
        _cleanup_(scratch_close) Scratch s;

        scratch_tree(&s);
        scratch_link(&s, "lib/modules/1.0/loop.ko", "loop.ko");
        scratch_link(&s, "lib/modules/1.0/dangling.ko", "nowhere");
        assert_int_equal(try_open(&s, "lib/modules/1.0/none.ko"), -ENOENT);
        assert_int_equal(try_open(&s, "lib/modules/1.0/dangling.ko"), -ENOENT);
        assert_int_equal(try_open(&s, "lib/modules/1.0/loop.ko"), -ELOOP);
        assert_int_equal(try_open(&s, "lib/modules/1.0/kernel/a.ko/b.ko"), -ENOTDIR);
        assert_int_equal(
                loader_open_module(scratch_path(&s, "no/modules"), scratch_path(&s, "no/modules/x.ko")),
                -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_opens_what_lies_within),
                cmocka_unit_test(test_root_that_is_a_link),
                cmocka_unit_test(test_opens_nothing_else),
                cmocka_unit_test(test_links_out_of_the_tree),
                cmocka_unit_test(test_links_to_what_is_not_roots),
                cmocka_unit_test(test_only_regular_files),
                cmocka_unit_test(test_opens_nothing_to_look_at_it),
                cmocka_unit_test(test_files_that_others_can_write),
                cmocka_unit_test(test_names_of_files),
                cmocka_unit_test(test_what_is_not_there),
        };

        return RUN_TESTS(tests);
}
