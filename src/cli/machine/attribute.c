/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attribute: see attribute.h. What is gone when it is read is not there, which is nobody's error. Owns nothing. */

#include "cli/machine/attribute.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>

#include "common/base/number.h"
#include "common/base/read-file.h"
#include "common/base/util.h"

#define ATTRIBUTE_MAX ((size_t) 64 << 10) /* bytes; those of /sys have a page at most, fs/sysfs/file.c */

/**
 * attribute_new() - the value of an attribute
 * @directory: such as that of a device below /sys, without '/' at its end
 * @ret:       without blanks at its ends, cut at the first NUL; any bytes
 *
 * Return: 0; -ENOENT: there is none; -ENOMEM; what open(2) and read(2) say, such as -EACCES and -ENODEV.
 */
int attribute_new(const char *directory, const char *name, char **ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size, start = 0;
        int r;

        assert(directory && name && ret);

        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = read_file_open(path);
        if (fd < 0)
                return fd;
        r = read_file(fd, ATTRIBUTE_MAX, &text, &size);
        if (r < 0)
                return r;

        size = strlen(text);
        while (size > 0 && isspace((unsigned char) text[size - 1]))
                text[--size] = '\0';
        while (isspace((unsigned char) text[start]))
                start++;
        memmove(text, text + start, size - start + 1);

        *ret = STEAL_PTR(text);
        return 0;
}

/**
 * attribute_unsigned() - the value of an attribute that is a number, decimal
 *
 * Return: 0; -EINVAL: it is none; as attribute_new().
 */
int attribute_unsigned(const char *directory, const char *name, uint64_t *ret) {
        _cleanup_(freep) char *text = NULL;
        const char *end;
        uint64_t number;
        int r;

        assert(ret);

        r = attribute_new(directory, name, &text);
        if (r < 0)
                return r;
        end = text;
        if (number_take(&end, UINT64_MAX, &number) < 0 || *end)
                return -EINVAL;

        *ret = number;
        return 0;
}

/**
 * attribute_link_new() - what a link of /sys leads to, such as that of a device to its driver
 * @ret: the last part of its target
 *
 * Return: 0; -ENOENT: there is none; -ENOMEM; what readlink(2) says.
 */
int attribute_link_new(const char *directory, const char *name, char **ret) {
        _cleanup_(freep) char *path = NULL;
        char target[PATH_MAX], *slash;
        ssize_t n;

        assert(directory && name && ret);

        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        n = readlink(path, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        slash = strrchr(target, '/');
        *ret = strdup(slash ? slash + 1 : target);
        return *ret ? 0 : -ENOMEM;
}
