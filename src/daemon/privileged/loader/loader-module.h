/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/request/loader-protocol.h"

/* LoaderModule: passes the file of a module to the kernel, or has it remove a module. */
typedef enum Compression {
        COMPRESSION_NONE,
        COMPRESSION_GZIP,
        COMPRESSION_XZ,
        COMPRESSION_ZSTD,
        COMPRESSION_OTHER, /* a name that is not known here */
} Compression;

int loader_module_init(void);
Compression compression_of_name(const char *name);
Compression compression_of_bytes(const unsigned char *bytes, size_t n);
int loader_insert(const LoaderRequest *request, LoaderRefusal *ret_refusal);
int loader_remove(const LoaderRequest *request);
