/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct WriterEntry {
        const char *key;                /* ASCII */
        const char *value;
        uint32_t priority;
} WriterEntry;

/* The bytes of an index as depmod(8) would write it; free(3) them. Aborts without memory. */
uint8_t *index_write(const WriterEntry *entries, size_t n, size_t *ret_size);
