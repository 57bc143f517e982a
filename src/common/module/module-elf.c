/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleElf: see module-elf.h. Owns a mapping of the file, or of what is in a compressed one. Every number in it is
 * checked before it is used: a file may be cut off, or be made by anybody.
 */

#include "common/module/module-elf.h"

#include <assert.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/file-access.h"
#include "common/base/limits.h"
#include "common/module/packed-file.h"

#define BUILD_ID_SECTION ".note.gnu.build-id"
#define INFO_SECTION ".modinfo"

struct ModuleElf {
        const unsigned char *data;      /* mapped */
        size_t size;
        const ElfW(Shdr) * sections;
        size_t n_sections, names;       /* the section with their names */
};

/* Return: NULL unless all bytes are within the file. */
static const void *bytes_at(const ModuleElf *m, uint64_t offset, uint64_t size) {
        return offset <= m->size && size <= m->size - offset ? m->data + offset : NULL;
}

/* The content of a section; NULL: it is not within the file. */
static const void *content_of(const ModuleElf *m, const ElfW(Shdr) * section) {
        return section->sh_type == SHT_NOBITS ? NULL : bytes_at(m, section->sh_offset, section->sh_size);
}

/* A string in a section of strings; NULL: it does not end in there. */
static const char *string_at(const ModuleElf *m, size_t section, uint64_t at) {
        const char *strings;
        uint64_t size;

        if (section >= m->n_sections)
                return NULL;
        strings = content_of(m, m->sections + section);
        size = m->sections[section].sh_size;
        return strings && at < size && memchr(strings + at, '\0', size - at) ? strings + at : NULL;
}

static const ElfW(Shdr) * find_section(const ModuleElf *m, const char *name) {
        for (size_t i = 0; i < m->n_sections; i++)
                if (streq_ptr(string_at(m, m->names, m->sections[i].sh_name), name))
                        return m->sections + i;
        return NULL;
}

static int map(ModuleElf *m, const char *path) {
        _cleanup_(closep) int fd = -EBADF, unpacked = -EBADF;
        unsigned char begin[PACKED_FILE_MAGIC_MAX];
        struct stat st;
        ssize_t n;
        void *data;

        fd = file_access_open(path);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADF;
        n = pread(fd, begin, sizeof(begin), 0);
        if (n < 0)
                return -errno;
        if (packed_file_is_packed(begin, (size_t) n)) {
                unpacked = packed_file_unpack(fd);
                if (unpacked < 0)
                        return unpacked;
                if (fstat(unpacked, &st) < 0)
                        return -errno;
        }
        if (st.st_size > MODULE_FILE_MAX)
                return -EFBIG;
        if (st.st_size < (off_t) sizeof(ElfW(Ehdr)))
                return -ENOEXEC;
        data = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, unpacked >= 0 ? unpacked : fd, 0);
        if (data == MAP_FAILED)
                return -errno;
        m->data = data;
        m->size = (size_t) st.st_size;
        return 0;
}

static int find_sections(ModuleElf *m) {
        const ElfW(Ehdr) *header = (const ElfW(Ehdr) *) m->data;
        const unsigned char order = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;

        if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
                return -ENOEXEC;
        if (header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
            header->e_ident[EI_DATA] != order)
                return -EOPNOTSUPP;
        if (header->e_shentsize != sizeof(ElfW(Shdr)) || header->e_shoff % _Alignof(ElfW(Shdr)) != 0)
                return -ENOEXEC;
        m->sections = bytes_at(m, header->e_shoff, (uint64_t) header->e_shnum * sizeof(ElfW(Shdr)));
        if (!m->sections)
                return -ENOEXEC;
        m->n_sections = header->e_shnum;
        m->names = header->e_shstrndx;
        return 0;
}

/**
 * module_elf_new() - open a module file
 * @path: of a file that may be compressed
 *
 * A file that is cut short while it is looked at ends the process, as for every reader of mapped files; so this is for
 * lkmctl, not for lkmd.
 *
 * Return: 0; -ENOEXEC: it is no module; -EOPNOTSUPP: of another machine, or the library that unpacks it is missing;
 * -EFBIG; -ENOMEM; what open(2) says.
 */
int module_elf_new(ModuleElf **ret, const char *path) {
        _cleanup_(module_elf_freep) ModuleElf *m = NULL;
        int r;

        assert(ret && path);

        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        r = map(m, path);
        if (r >= 0)
                r = find_sections(m);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(m);
        return 0;
}

/* Return: NULL. */
ModuleElf *module_elf_free(ModuleElf *m) {
        if (!m)
                return NULL;

        if (m->data)
                (void) munmap((void *) m->data, m->size);
        free(m);
        return NULL;
}

/**
 * module_elf_info() - the next value of a key of its .modinfo
 * @at: 0 at first; where to go on
 *
 * Return: borrowed; NULL: there is none, or no more.
 */
const char *module_elf_info(const ModuleElf *m, const char *key, size_t *at) {
        const ElfW(Shdr) * section;
        const char *text;
        size_t n;

        assert(m && key && at);

        n = strlen(key);
        section = find_section(m, INFO_SECTION);
        text = section ? content_of(m, section) : NULL;
        while (text && *at < section->sh_size) {
                const char *entry = text + *at, *end = memchr(entry, '\0', section->sh_size - *at);

                if (!end)
                        return NULL;
                *at = (size_t) (end - text) + 1;
                if (startswith(entry, key) && entry[n] == '=')
                        return entry + n + 1;
        }
        return NULL;
}

/**
 * build_id_of_notes() - the build ID among ELF notes, as those of a section, or of a file of /sys/module/NAME/notes
 * @ret: hexadecimal digits
 *
 * Return: 0; -ENODATA: there is none; -ENOMEM.
 */
int build_id_of_notes(const void *notes, size_t size, char **ret) {
        const unsigned char *p = notes;

        assert(notes && ret);

        while (size >= sizeof(ElfW(Nhdr))) {
                ElfW(Nhdr) note;
                uint64_t name, id, whole;

                memcpy(&note, p, sizeof(note));
                name = ((uint64_t) note.n_namesz + 3) & ~UINT64_C(3);
                id = ((uint64_t) note.n_descsz + 3) & ~UINT64_C(3);
                whole = sizeof(note) + name + id;
                if (sizeof(note) + name + note.n_descsz > size)
                        break;
                if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
                    memcmp(p + sizeof(note), "GNU", sizeof("GNU")) == 0 && note.n_descsz > 0 &&
                    note.n_descsz <= BUILD_ID_MAX) {
                        char *text = calloc(1, 2 * (size_t) note.n_descsz + 1);

                        if (!text)
                                return -ENOMEM;
                        for (size_t i = 0; i < note.n_descsz; i++)
                                (void) snprintf(text + 2 * i, 3, "%02x", p[sizeof(note) + name + i]);
                        *ret = text;
                        return 0;
                }
                if (whole > size)
                        break;
                p += whole;
                size -= whole;
        }
        return -ENODATA;
}

/* As build_id_of_notes(), of its file. */
int module_elf_build_id(const ModuleElf *m, char **ret) {
        const ElfW(Shdr) * section;
        const void *notes;

        assert(m && ret);

        section = find_section(m, BUILD_ID_SECTION);
        notes = section ? content_of(m, section) : NULL;
        return notes ? build_id_of_notes(notes, section->sh_size, ret) : -ENODATA;
}

/**
 * module_elf_undefined() - the symbols that the kernel or other modules must have; weak ones may be missing
 *
 * Return: 0; what @on_symbol stopped with.
 */
int module_elf_undefined(const ModuleElf *m, module_elf_symbol_t on_symbol, void *userdata) {
        assert(m && on_symbol);

        for (size_t i = 0; i < m->n_sections; i++) {
                const ElfW(Shdr) *section = m->sections + i;
                const unsigned char *table = section->sh_type == SHT_SYMTAB ? content_of(m, section) : NULL;

                for (size_t k = 1; table && k < section->sh_size / sizeof(ElfW(Sym)); k++) {
                        ElfW(Sym) symbol;
                        const char *name;
                        int r;

                        memcpy(&symbol, table + k * sizeof(symbol), sizeof(symbol));
                        if (symbol.st_shndx != SHN_UNDEF || ELF64_ST_BIND(symbol.st_info) != STB_GLOBAL)
                                continue;
                        name = string_at(m, section->sh_link, symbol.st_name);
                        r = name && *name ? on_symbol(name, userdata) : 0;
                        if (r != 0)
                                return r;
                }
        }
        return 0;
}
