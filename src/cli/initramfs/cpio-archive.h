/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/initramfs/byte-source.h"

#define CPIO_NAME_MAX 4096U             /* PATH_MAX, with the NUL, as in the kernel */

/* CpioArchive: the format that the kernel unpacks, Documentation/driver-api/early-userspace/buffer-format.rst. */
typedef struct CpioEntry {
        char name[CPIO_NAME_MAX];
        uint32_t inode, mode, n_links, size, device[2];
} CpioEntry;

/*
 * Takes the content from @s, or leaves it there, as a whole.
 * Return: 1: it took the content; 0; negative errno, which ends it.
 */
typedef int (*cpio_on_entry_t)(const CpioEntry *e, ByteSource *s, void *userdata);

bool cpio_archive_begins(const char magic[static 6]);
int cpio_archive_read(ByteSource *s, uint64_t *n_entries_left, cpio_on_entry_t on_entry, void *userdata);
