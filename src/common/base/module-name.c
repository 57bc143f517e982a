/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleName: the normal form of a name. The kernel uses underscores in names of modules, people and files
 * also write dashes. Names from files, requests and indexes are all normalised here before they are
 * compared. Owns nothing.
 */

#include "common/base/module-name.h"

#include <assert.h>

#include "common/base/util.h"
#include "common/base/bytes8.h"

/**
 * module_name_normalize_bytes() - replace '-' by '_', except inside of a bracket expression
 * @name:   on failure, changed up to the fault
 * @length: of it, without its NUL
 *
 * Return: false for a bracket that is not closed or not opened: for kmod that is no name.
 */
bool module_name_normalize_bytes(char *name, size_t length) {
        assert(name);

        if (!words_have(name, length, '-', '[', ']'))
                return true;            /* nearly always */

        for (char *p = name; *(p += strcspn(p, "-[]")); p++)
                switch (*p) {
                case '-':
                        *p = '_';
                        break;
                case ']':
                        return false;
                case '[':
                        p = strchr(p, ']');
                        if (!p)
                                return false;
                        break;
                }

        return true;
}

/* The same for a string whose length is not known. */
bool module_name_normalize_in_place(char *name) {
        return module_name_normalize_bytes(name, strlen(name));
}

/**
 * module_name_normalize() - the normal form of a name or alias
 * @ret: of @size bytes
 *
 * Return: 0; -EINVAL for a bracket that is not closed or not opened; -ENAMETOOLONG.
 */
int module_name_normalize(const char *name, char *ret, size_t size) {
        size_t n;

        assert(name && ret);

        n = strlen(name);
        if (n >= size)
                return -ENAMETOOLONG;

        memcpy(ret, name, n + 1);
        return module_name_normalize_bytes(ret, n) ? 0 : -EINVAL;
}

/**
 * module_name_equal() - are the first @n bytes of two names the same, with '-' and '_' as one letter?
 *
 * The kernel compares the names of parameters in this way, too (kernel/params.c, parameq()).
 */
bool module_name_equal(const char *a, const char *b, size_t n) {
        assert(a && b);

        for (size_t i = 0; i < n; i++)
                if (a[i] == '\0' || (a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
                        return false;
        return true;
}

/**
 * module_name_of_path() - "kernel/fs/nls/nls-cp437.ko.xz" is nls_cp437
 * @n:   bytes of @path, which need not end in NUL
 * @ret: of @size bytes; a name that does not fit is cut off
 *
 * Return: length of the name.
 */
size_t module_name_of_path(const char *path, size_t n, char *ret, size_t size) {
        const char *from;
        size_t length = 0;

        assert(path && ret && size > 0);

        from = memrchr(path, '/', n);
        from = from ? from + 1 : path;
        for (; from < path + n && *from != '.' && length + 1 < size; from++)
                ret[length++] = *from == '-' ? '_' : *from;
        ret[length] = '\0';
        return length;
}
