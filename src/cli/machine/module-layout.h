/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The kinds of memory that a module gets, each in pages of its own: enum mod_mem_type, linux/module.h. */
typedef enum ModuleMemoryKind {
        MEMORY_TEXT,
        MEMORY_DATA,
        MEMORY_RODATA,
        MEMORY_RO_AFTER_INIT,
        MEMORY_INIT_TEXT,
        MEMORY_INIT_DATA,
        MEMORY_INIT_RODATA,
        _MEMORY_KIND_MAX,
        _MEMORY_CORE_MAX = MEMORY_INIT_TEXT, /* what is before it stays */
} ModuleMemoryKind;

/* ModuleLayout: how much memory a module file takes in the kernel. */
typedef struct ModuleLayout {
        uint64_t bytes[_MEMORY_KIND_MAX]; /* used, without what rounding to pages adds */
} ModuleLayout;

int module_layout_read(const char *path, ModuleLayout *ret);
int module_layout_parse(const void *image, size_t size, ModuleLayout *ret);
uint64_t module_layout_core_bytes(const ModuleLayout *l);
uint64_t module_layout_core_pages(const ModuleLayout *l, uint64_t page_size);
uint64_t module_layout_init_bytes(const ModuleLayout *l);
unsigned module_layout_areas(const ModuleLayout *l);
