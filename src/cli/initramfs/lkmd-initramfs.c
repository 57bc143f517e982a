/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lkmd-initramfs FILE: prints the configuration of modules that an initramfs has, for lkmctl doctor. A program of its
 * own, so that lkmctl needs no libarchive, and that what reads an image has no rights but to read it.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/initramfs/image-filter.h"
#include "cli/initramfs/image-limits.h"
#include "cli/initramfs/image-reader.h"
#include "common/base/util.h"

static int fail(const char *what) {
        fprintf(stderr, "%s\n", what);
        return EXIT_FAILURE;
}

/* Return: a file descriptor; -EMEDIUMTYPE: it is no regular file; what open(2) says. */
static int open_image(const char *path) {
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return S_ISREG(st.st_mode) ? STEAL_FD(fd) : -EMEDIUMTYPE;
}

int main(int argc, char **argv) {
        _cleanup_(image_files_clear) ImageFiles files = {};
        _cleanup_(closep) int fd = -EBADF;
        int r;

        if (argc != 2 || argv[1][0] == '-')
                return fail(
                        "Usage: lkmd-initramfs FILE, which prints the configuration of modules in an initramfs");
        fd = open_image(argv[1]);
        if (fd < 0)
                return fail(fd == -EMEDIUMTYPE ? "is no regular file" : strerror(-fd));
        r = image_filter_install();
        if (r < 0)
                return fail("is not read, since the rights of the reader could not be given up");
        r = image_read(fd, IMAGE_SIZE_MAX, &files);
        if (r >= 0)
                r = image_files_write(&files, stdout);
        return r < 0 ? fail(image_error_words(r)) : EXIT_SUCCESS;
}
