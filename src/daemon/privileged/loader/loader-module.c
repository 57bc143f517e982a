/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderModule: see loader-module.h. The kernel decompresses what it can, and nothing is decompressed here: what it
 * cannot, lkmd-command does with libkmod. Owns nothing.
 */

#include "daemon/privileged/loader/loader-module.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/module.h>
#include <sys/syscall.h>

#include "common/base/module-name.h"
#include "common/base/util.h"
#include "daemon/privileged/request/loader-file.h"

#ifndef MODULE_INIT_COMPRESSED_FILE
# define MODULE_INIT_COMPRESSED_FILE 4   /* Linux 5.17, linux/module.h */
#endif

#define KERNEL_COMPRESSION_FILE "/sys/module/compression" /* Documentation/ABI/testing/sysfs-module */

static Compression of_kernel;           /* that it decompresses; before there are threads */

/* @name: as in KERNEL_COMPRESSION_FILE, with or without a newline. */
Compression compression_of_name(const char *name) {
        static const char *const names[COMPRESSION_OTHER] = {
                [COMPRESSION_NONE] = "",
                [COMPRESSION_GZIP] = "gzip",
                [COMPRESSION_XZ] = "xz",
                [COMPRESSION_ZSTD] = "zstd",
        };
        size_t n;

        assert(name);

        n = strcspn(name, "\n");
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (n == strlen(names[i]) && strncmp(name, names[i], n) == 0)
                        return (Compression) i;
        return COMPRESSION_OTHER;
}

/* What a file is, by its first bytes, as libkmod finds out. */
Compression compression_of_bytes(const unsigned char *bytes, size_t n) {
        static const struct {
                const char *magic;
                size_t n;
                Compression compression;
        } magics[] = {
                { "\x1f\x8b", 2, COMPRESSION_GZIP },
                { "\xfd" "7zXZ", 6, COMPRESSION_XZ }, /* with its NUL */
                { "\x28\xb5\x2f\xfd", 4, COMPRESSION_ZSTD },
        };

        assert(bytes || n == 0);

        for (size_t i = 0; i < ARRAY_LEN(magics); i++)
                if (n >= magics[i].n && memcmp(bytes, magics[i].magic, magics[i].n) == 0)
                        return magics[i].compression;
        return COMPRESSION_NONE;
}

/* To be called before there are threads. Return: 0. A kernel before 5.17, or one without the option, has no file. */
int loader_module_init(void) {
        _cleanup_(closep) int fd = open(KERNEL_COMPRESSION_FILE, O_RDONLY | O_CLOEXEC);
        char name[16] = "";
        ssize_t n;

        n = fd >= 0 ? read(fd, name, sizeof(name) - 1) : 0;
        name[MAX(n, (ssize_t) 0)] = '\0';
        of_kernel = compression_of_name(name);
        return 0;
}

/**
 * loader_insert() - pass the file of a module to the kernel
 * @request: its words were checked
 *
 * The kernel takes the name from inside the file, which may be another one: the manager finds that out.
 *
 * Return: 0; -EPERM with a refusal; what finit_module(2) says.
 */
int loader_insert(const LoaderRequest *request, LoaderRefusal *ret_refusal) {
        _cleanup_(closep) int fd = -EBADF;
        unsigned char head[6];
        Compression compression;
        unsigned flags = 0;
        ssize_t n;

        assert(request && ret_refusal);

        fd = loader_open_requested(request, ret_refusal);
        if (fd < 0)
                return fd;
        n = pread(fd, head, sizeof(head), 0);
        if (n < 0)
                return -errno;
        compression = compression_of_bytes(head, (size_t) n);
        if (compression != COMPRESSION_NONE && compression != of_kernel) {
                *ret_refusal = LOADER_REFUSED_COMPRESSION;
                return -EPERM;
        }

        if (request->flags & LOADER_FORCE_VERMAGIC)
                flags |= MODULE_INIT_IGNORE_VERMAGIC;
        if (request->flags & LOADER_FORCE_MODVERSIONS)
                flags |= MODULE_INIT_IGNORE_MODVERSIONS;
        if (compression != COMPRESSION_NONE)
                flags |= MODULE_INIT_COMPRESSED_FILE;
        if (syscall(SYS_finit_module, fd, request->words.n_origins > 0 ? request->words.text : "", flags) <
            0)
                return -errno;
        return 0;
}

/* Never waits for the last user of the module. Return: 0; what delete_module(2) says. */
int loader_remove(const LoaderRequest *request) {
        char name[MODULE_NAME_MAX + 1];
        unsigned flags = O_NONBLOCK;

        assert(request);

        (void) stpcpy(name, request->module);
        (void) module_name_normalize_in_place(name);
        if (request->flags & LOADER_FORCE_REMOVAL)
                flags |= O_TRUNC;
        return syscall(SYS_delete_module, name, flags) < 0 ? -errno : 0;
}
