/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Far more than any initramfs has; what is beyond is made to harm whoever reads it. */
#define IMAGE_SIZE_MAX ((uint64_t) 4 << 30) /* the file, and what it unpacks to */
#define ENTRIES_MAX ((uint64_t) 1 << 20)
#define FILES_MAX 4096U                 /* of configuration */
#define FILE_SIZE_MAX ((uint32_t) 1 << 20)
#define CONTENTS_SIZE_MAX ((size_t) 16 << 20)
#define MEMORY_MAX ((uint64_t) 1 << 30) /* xz may ask for much, by its header */
#define PROCESSOR_SECONDS_MAX 120U
