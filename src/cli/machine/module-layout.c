/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleLayout: adds up the sections of a module file as the kernel does when it loads it: layout_sections() of
 * kernel/module/main.c and layout_symtab() of kernel/module/kallsyms.c. The kernel does not tell the sizes of
 * sections, only their addresses. The file may be damaged in any way: each number in it is checked before it is
 * used. Owns nothing.
 *
 * It is as since Linux 6.4, built with CONFIG_KALLSYMS_ALL. Whoever compares the sum with /proc/modules knows
 * whether that is so.
 */

#include "cli/machine/module-layout.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/limits.h"
#include "common/base/read-file.h"
#include "common/base/util.h"
#include "common/module/packed-file.h"

typedef ElfW(Ehdr) Header;
typedef ElfW(Shdr) Section;
typedef ElfW(Sym) Symbol;

#define SECTION_MAX UINT64_C(1) << 40   /* bytes: no sum of fewer than 65536 of them overflows */

/* A file in memory. */
typedef struct Image {
        const char *bytes;
        size_t size;
        Header header;
        const char *names;              /* of sections; ends in NUL */
        size_t names_size;
} Image;

/* Is a range of bytes in the file? */
static bool has(const Image *image, uint64_t offset, uint64_t size) {
        return offset <= image->size && size <= image->size - offset;
}

/* Return: false: there is none of this number. */
static bool get_section(const Image *image, size_t i, Section *ret) {
        uint64_t offset = image->header.e_shoff + (uint64_t) i * sizeof(Section);

        if (i >= image->header.e_shnum || !has(image, offset, sizeof(Section)))
                return false;
        memcpy(ret, image->bytes + offset, sizeof(*ret));
        return true;
}

static const char *section_name(const Image *image, const Section *s) {
        return s->sh_name < image->names_size ? image->names + s->sh_name : "";
}

static int open_image(Image *image, const void *bytes, size_t size) {
        const unsigned char native = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
        Section names;

        *image = (Image) { .bytes = bytes, .size = size, .names = "" };
        if (size < sizeof(Header))
                return -ENOEXEC;
        memcpy(&image->header, bytes, sizeof(image->header));
        if (memcmp(image->header.e_ident, ELFMAG, SELFMAG) != 0 ||
            image->header.e_ident[EI_CLASS] != native || image->header.e_type != ET_REL ||
            image->header.e_shentsize != sizeof(Section) || image->header.e_shoff > size)
                return -ENOEXEC;
        if (!get_section(image, image->header.e_shstrndx, &names) || names.sh_size == 0 ||
            !has(image, names.sh_offset, names.sh_size) ||
            image->bytes[names.sh_offset + names.sh_size - 1] != '\0')
                return -ENOEXEC;
        image->names = image->bytes + names.sh_offset;
        image->names_size = names.sh_size;
        return 0;
}

/* What the kernel makes read-only after init, whatever the file says: module_mark_ro_after_init(). */
static bool is_ro_after_init(const char *name) {
        return streq(name, ".data..ro_after_init") || streq(name, "__jump_table");
}

/* What the kernel leaves out though the file would have it in memory: setup_load_info(), percpu_modalloc(). */
static bool is_left_out(const char *name) {
        return streq(name, ".modinfo") || streq(name, "__versions") || startswith(name, "__version_ext_") ||
               streq(name, ".data..percpu");
}

/* Return: _MEMORY_KIND_MAX: it takes no memory. */
static ModuleMemoryKind kind_of(const Image *image, const Section *s) {
        const char *name = section_name(image, s);
        bool init = startswith(name, ".init");

        if (!(s->sh_flags & SHF_ALLOC) || is_left_out(name))
                return _MEMORY_KIND_MAX;
        if (s->sh_flags & SHF_EXECINSTR)
                return init ? MEMORY_INIT_TEXT : MEMORY_TEXT;
        if (!(s->sh_flags & SHF_WRITE))
                return init ? MEMORY_INIT_RODATA : MEMORY_RODATA;
        if (!init && is_ro_after_init(name))
                return MEMORY_RO_AFTER_INIT;
        return init ? MEMORY_INIT_DATA : MEMORY_DATA;
}

static uint64_t align(uint64_t offset, uint64_t alignment) {
        alignment = alignment > 0 && alignment <= SECTION_MAX ? alignment : 1;
        return (offset + alignment - 1) / alignment * alignment;
}

/* Return: 0; -ENOEXEC. */
static int add_sections(const Image *image, ModuleLayout *l) {
        Section s;

        for (size_t i = 1; i < image->header.e_shnum; i++) {
                ModuleMemoryKind kind;

                if (!get_section(image, i, &s) || s.sh_size > SECTION_MAX)
                        return -ENOEXEC;
                kind = kind_of(image, &s);
                if (kind < _MEMORY_KIND_MAX)
                        l->bytes[kind] = align(l->bytes[kind], s.sh_addralign) + s.sh_size;
        }
        return 0;
}

/* Does the kernel keep a symbol? is_core_symbol() */
static bool is_kept(const Image *image, const Symbol *symbol) {
        Section s;

        if (symbol->st_shndx == SHN_UNDEF || symbol->st_name == 0 ||
            !get_section(image, symbol->st_shndx, &s))
                return false;
        if (streq(section_name(image, &s), ".data..percpu"))
                return true;
        return kind_of(image, &s) < _MEMORY_CORE_MAX;
}

/* The symbols that the kernel keeps, behind the data: each with its name, and a byte for its type. */
static int add_symbols(const Image *image, ModuleLayout *l) {
        Section table, names;
        uint64_t n = 0, names_bytes = 1;
        Symbol symbol;
        size_t i;

        for (i = 1; i < image->header.e_shnum; i++)
                if (!get_section(image, i, &table))
                        return -ENOEXEC;
                else if (table.sh_type == SHT_SYMTAB)
                        break;
        if (i >= image->header.e_shnum)
                return 0;
        if (!get_section(image, table.sh_link, &names) || !has(image, table.sh_offset, table.sh_size) ||
            !has(image, names.sh_offset, names.sh_size))
                return -ENOEXEC;
        for (i = 0; i < table.sh_size / sizeof(symbol); i++) {
                memcpy(&symbol, image->bytes + table.sh_offset + i * sizeof(symbol), sizeof(symbol));
                if (i > 0 && !is_kept(image, &symbol))
                        continue;
                if (symbol.st_name >= names.sh_size)
                        return -ENOEXEC;
                n++;
                names_bytes += strnlen(image->bytes + names.sh_offset + symbol.st_name,
                                       names.sh_size - symbol.st_name) +
                               1;
        }
        l->bytes[MEMORY_DATA] = align(l->bytes[MEMORY_DATA], table.sh_addralign) + n * sizeof(Symbol) +
                                names_bytes + n;
        return 0;
}

/**
 * module_layout_parse() - how much memory the module in @image takes
 *
 * Return: 0; -ENOEXEC: it is no module of this kind of machine, or damaged.
 */
int module_layout_parse(const void *image, size_t size, ModuleLayout *ret) {
        ModuleLayout l = {};
        Image opened;
        int r;

        assert(image && ret);

        r = open_image(&opened, image, size);
        if (r >= 0)
                r = add_sections(&opened, &l);
        if (r >= 0)
                r = add_symbols(&opened, &l);
        if (r < 0)
                return r;
        *ret = l;
        return 0;
}

/* The file itself, or what is in it if it is compressed. Return: a descriptor; negative errno. */
static int open_unpacked(const char *path) {
        unsigned char begin[PACKED_FILE_MAGIC_MAX];
        _cleanup_(closep) int fd = -EBADF;
        ssize_t n;

        fd = read_file_open(path);
        if (fd < 0)
                return fd;
        n = pread(fd, begin, sizeof(begin), 0);
        if (n < 0)
                return -errno;
        return packed_file_is_packed(begin, (size_t) n) ? packed_file_unpack(fd) : STEAL_FD(fd);
}

/**
 * module_layout_read() - the same of a module file
 *
 * Return: 0; as module_layout_parse() and packed_file_unpack(); what open(2) and mmap(2) say.
 */
int module_layout_read(const char *path, ModuleLayout *ret) {
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;
        void *image;
        int r;

        assert(path && ret);

        fd = open_unpacked(path);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size <= 0)
                return -ENOEXEC;
        if (st.st_size > MODULE_FILE_MAX)
                return -EFBIG;
        image = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (image == MAP_FAILED)
                return -errno;
        r = module_layout_parse(image, (size_t) st.st_size, ret);
        (void) munmap(image, (size_t) st.st_size);
        return r;
}

/* What stays after init, exactly. */
uint64_t module_layout_core_bytes(const ModuleLayout *l) {
        uint64_t sum = 0;

        assert(l);

        for (ModuleMemoryKind k = 0; k < _MEMORY_CORE_MAX; k++)
                sum += l->bytes[k];
        return sum;
}

/* The same as the kernel counts it: bytes of whole pages. */
uint64_t module_layout_core_pages(const ModuleLayout *l, uint64_t page_size) {
        uint64_t sum = 0;

        assert(l && page_size > 0);

        for (ModuleMemoryKind k = 0; k < _MEMORY_CORE_MAX; k++)
                sum += align(l->bytes[k], page_size);
        return sum;
}

/* What is freed after init. */
uint64_t module_layout_init_bytes(const ModuleLayout *l) {
        uint64_t sum = 0;

        assert(l);

        for (ModuleMemoryKind k = _MEMORY_CORE_MAX; k < _MEMORY_KIND_MAX; k++)
                sum += l->bytes[k];
        return sum;
}

/* Areas of the kernel's address space that it takes after init. */
unsigned module_layout_areas(const ModuleLayout *l) {
        unsigned n = 0;

        assert(l);

        for (ModuleMemoryKind k = 0; k < _MEMORY_CORE_MAX; k++)
                n += l->bytes[k] > 0;
        return n;
}
