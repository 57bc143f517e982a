/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <elf.h>
#include <stddef.h>

/* ElfModule: the smallest module file that says something of itself, to be written as it is or broken first. */

#define ELF_MODULE_INFO_MAX 128U
#define ELF_MODULE_NAMES "\0.modinfo\0.shstrtab\0"

typedef struct ElfModule {
        Elf64_Ehdr header;
        Elf64_Shdr sections[3];
        char info[ELF_MODULE_INFO_MAX], names[sizeof(ELF_MODULE_NAMES)];
} ElfModule;

/* @info: its .modinfo, with a NUL behind each entry; a string literal */
ElfModule elf_module_make(const char *info, size_t n);
#define ELF_MODULE(info) elf_module_make(info, sizeof(info) - 1)
