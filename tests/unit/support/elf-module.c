/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "elf-module.h"

#include <string.h>

#include "must.h"

ElfModule elf_module_make(const char *info, size_t n) {
        ElfModule m = {
                .header = {
                        .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                        .e_type = ET_REL,
                        .e_machine = EM_X86_64,
                        .e_version = EV_CURRENT,
                        .e_shoff = offsetof(ElfModule, sections),
                        .e_ehsize = sizeof(Elf64_Ehdr),
                        .e_shentsize = sizeof(Elf64_Shdr),
                        .e_shnum = 3,
                        .e_shstrndx = 2,
                },
                .sections = {
                        [1] = { .sh_name = 1,
                                .sh_type = SHT_PROGBITS,
                                .sh_offset = offsetof(ElfModule, info),
                                .sh_size = n },
                        [2] = { .sh_name = 10,
                                .sh_type = SHT_STRTAB,
                                .sh_offset = offsetof(ElfModule, names),
                                .sh_size = sizeof(ELF_MODULE_NAMES) - 1 },
                },
                .names = ELF_MODULE_NAMES,
        };

        must(n <= sizeof(m.info), "too much for .modinfo");
        memcpy(m.info, info, n);
        return m;
}
