/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleFault: see module-fault.h. A look costs one open and one read of the header, which of a compressed file is
 * unpacked, so that every plan can have it; the rest of what is inside is for FileFacts to find out. Owns nothing.
 */

#include "common/module/module-fault.h"

#include <assert.h>
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "common/base/module-file.h"
#include "common/base/paths.h"
#include "common/base/root-file.h"
#include "common/base/util.h"
#include "common/module/packed-file.h"

#define REINSTALL \
        "reinstall the package that it came with (the kernel's, or dkms: dkms autoinstall), then depmod -a"

/* @clause follows "NAME cannot be loaded: "; its %s is the detail. {module} in @remedy is the name. */
static const struct {
        const char *clause, *remedy;
        bool of_loader;
} texts[_MODULE_FAULT_KIND_MAX] = {
        [MODULE_HAS_NO_FAULT] = { "its file looks sound", "modinfo {module}" },
        [MODULE_FILE_MISSING] = { "its file is missing", REINSTALL },
        [MODULE_FILE_ELSEWHERE] = { "its file lies outside the directory of modules, " MODULE_ROOT,
                                    "put it, or a link to it, below " MODULE_ROOT
                                    "/$(uname -r)/extra as root, then depmod -a",
                                    .of_loader = true },
        [MODULE_FILE_FOREIGN] = { "others than root could have written its file, or have led there",
                                  "have the file, all directories above it and links to it belong to root, and take the right to write "
                                  "from group and others: chown root FILE; chmod go-w FILE; namei -l $(modinfo -n {module}) lists them",
                                  .of_loader = true },
        [MODULE_FILE_IRREGULAR] = { "what is in the place of its file is no regular file",
                                    "ls -lL $(modinfo -n {module})" },
        [MODULE_FILE_EMPTY] = { "its file is empty", REINSTALL },
        [MODULE_FILE_ALIEN] = { "its file is no kernel module", "file $(modinfo -n {module}); " REINSTALL },
        [MODULE_FILE_BROKEN] = { "its file is damaged: cut off, or impossible to decompress", REINSTALL },
        [MODULE_FILE_OF_OTHER_MACHINE] = { "it was built for another processor architecture",
                                           "file $(modinfo -n {module}); uname -m" },
        [MODULE_FILE_OF_OTHER_KERNEL] = { "it was built for kernel %s",
                                          "rebuild it for this kernel (dkms autoinstall), or reboot into that one" },
};

/* The part of a path that begins with the release of the kernel; NULL: it is not below a directory of modules. */
static const char *find_release(const char *path) {
        const char *release = NULL;

        for (const char *p = path; (p = strstr(p, MODULE_ROOT "/")); p++)
                release = p + strlen(MODULE_ROOT "/");
        return release;
}

/* As uname(2) has it. A 32-bit personality hides the kernel's own architecture, so "i686" is not in the table. */
static unsigned machine_of_kernel(void) {
        static const struct {
                const char *name;
                unsigned machine;
        } machines[] = {
                { "x86_64", EM_X86_64 },   { "aarch64", EM_AARCH64 }, { "riscv64", EM_RISCV }, { "s390x", EM_S390 },
                { "ppc64", EM_PPC64 },     { "ppc64le", EM_PPC64 },   { "armv7l", EM_ARM },    { "armv6l", EM_ARM },
                { "loongarch64", EM_LOONGARCH },
        };
        struct utsname u;

        if (uname(&u) < 0)
                return EM_NONE;
        for (size_t i = 0; i < ARRAY_LEN(machines); i++)
                if (streq(u.machine, machines[i].name))
                        return machines[i].machine;
        return EM_NONE;
}

static uint64_t number_at(const unsigned char *header, size_t at, size_t size) {
        bool big_endian = header[EI_DATA] == ELFDATA2MSB;
        uint64_t n = 0;

        for (size_t i = 0; i < size; i++)
                n = n << 8 | header[at + (big_endian ? i : size - 1 - i)];
        return n;
}

#define FIELD(header, wide, name)                                                                              \
        ((wide) ? number_at(header, offsetof(Elf64_Ehdr, name), sizeof(((Elf64_Ehdr *) NULL)->name))           \
                : number_at(header, offsetof(Elf32_Ehdr, name), sizeof(((Elf32_Ehdr *) NULL)->name)))

/* What the kernel checks first: elf_validity_check() and elf_check_arch(), kernel/module/main.c. */
static ModuleFaultKind look_at_elf(const unsigned char *header, uint64_t size, bool of_this_machine) {
        bool wide = header[EI_CLASS] == ELFCLASS64;
        unsigned machine = of_this_machine ? machine_of_kernel() : EM_NONE;
        uint64_t table, n, entry;

        if (size < (wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
                return MODULE_FILE_BROKEN;
        if (FIELD(header, wide, e_type) != ET_REL)
                return MODULE_FILE_ALIEN;
        if (machine != EM_NONE && FIELD(header, wide, e_machine) != machine)
                return MODULE_FILE_OF_OTHER_MACHINE;
        table = FIELD(header, wide, e_shoff);
        n = FIELD(header, wide, e_shnum);
        entry = FIELD(header, wide, e_shentsize);
        return table >= size || n * entry > size - table ? MODULE_FILE_BROKEN : MODULE_HAS_NO_FAULT;
}

/*
 * @size: of the file; of what is in a compressed one only its beginning is known, which is then taken for larger than
 * anything that its header names
 */
static ModuleFaultKind look_at_header(const unsigned char *header, size_t n, uint64_t size,
                                      bool of_this_machine) {
        if (n < EI_NIDENT || memcmp(header, ELFMAG, SELFMAG) != 0)
                return MODULE_FILE_ALIEN;
        return look_at_elf(header, size, of_this_machine);
}

static void look_inside(int fd, uint64_t size, bool of_this_machine, ModuleFault *ret) {
        unsigned char begin[PACKED_FILE_MAGIC_MAX], header[sizeof(Elf64_Ehdr)] = {};
        size_t n_header = 0;
        ssize_t n;
        int r;

        n = pread(fd, begin, sizeof(begin), 0);
        if (n >= 0 && !packed_file_is_packed(begin, (size_t) n))
                n = pread(fd, header, sizeof(header), 0);
        else if (n >= 0) {
                r = packed_file_head(fd, header, sizeof(header), &n_header);
                if (r == -EBADMSG)
                        ret->kind = MODULE_FILE_BROKEN;
                else if (r < 0)
                        ret->unknown = r;
                else
                        ret->kind = look_at_header(header, n_header,
                                                   n_header < sizeof(header) ? n_header : UINT64_MAX,
                                                   of_this_machine);
                return;
        }
        if (n < 0)
                ret->unknown = -errno;
        else
                ret->kind = look_at_header(header, (size_t) n, size, of_this_machine);
}

/* Sets @ret by what module_file_find() said. */
static void judge_error(int error, ModuleFault *ret) {
        switch (error) {
        case -ENOENT:
        case -ENOTDIR:
        case -ELOOP:
                ret->kind = MODULE_FILE_MISSING;
                break;
        case -EXDEV:
                ret->kind = MODULE_FILE_ELSEWHERE;
                break;
        case -EPERM:
                ret->kind = MODULE_FILE_FOREIGN;
                break;
        case -EINVAL:
                ret->kind = MODULE_FILE_IRREGULAR;
                break;
        default:
                ret->unknown = error;   /* such as EACCES: root may see what the caller may not */
        }
}

/**
 * module_fault_look() - what is wrong with a module file, at first sight?
 * @path: what stands before /lib/modules is another root than that of this machine
 * @ret:  to be cleared; what the caller may not see counts as no fault, and is told as not known
 *
 * Return: 0; -ENOMEM.
 */
int module_fault_look(const char *path, ModuleFault *ret) {
        _cleanup_(closep) int found = -EBADF, fd = -EBADF;
        _cleanup_(freep) char *root = NULL;
        const char *release;
        struct stat st;

        assert(path && ret);

        *ret = (ModuleFault) {};
        release = find_release(path);
        root = strndup(path, release ? (size_t) (release - path) - strlen(MODULE_ROOT "/") : 0);
        if (!root)
                return -ENOMEM;
        found = module_file_find(root, MODULE_ROOT, path);
        if (found == -ENOMEM)
                return found;
        if (found < 0) {
                judge_error(found, ret);
                return 0;
        }
        if (fstat(found, &st) < 0)
                return -errno;
        if (st.st_size == 0) {
                ret->kind = MODULE_FILE_EMPTY;
                return 0;
        }
        fd = root_file_reopen(found);
        if (fd >= 0)
                look_inside(fd, (uint64_t) st.st_size, root[0] == '\0', ret);
        else
                ret->unknown = fd;
        return ret->unknown == -ENOMEM ? -ENOMEM : 0;
}

/**
 * module_fault_of_vermagic() - was a module built for another kernel?
 * @vermagic: NULL: the file has none
 * @ret:      to be cleared
 *
 * A module with version sums of its symbols fits every kernel with the same sums, so its release says nothing
 * (same_magic(), kernel/module/version.c).
 *
 * Return: 0; -ENOMEM.
 */
int module_fault_of_vermagic(const char *path, const char *vermagic, ModuleFault *ret) {
        size_t n = vermagic ? strcspn(vermagic, " ") : 0;
        const char *release;

        assert(path && ret);

        *ret = (ModuleFault) {};
        release = find_release(path);
        if (!release || n == 0 || strstr(vermagic + n, " modversions"))
                return 0;
        if (strcspn(release, "/") == n && strncmp(vermagic, release, n) == 0)
                return 0;
        ret->detail = strndup(vermagic, n);
        if (!ret->detail)
                return -ENOMEM;
        ret->kind = MODULE_FILE_OF_OTHER_KERNEL;
        return 0;
}

/* Would modprobe load it all the same? */
bool module_fault_is_of_loader(ModuleFaultKind kind) {
        assert(kind < _MODULE_FAULT_KIND_MAX);

        return texts[kind].of_loader;
}

/* What is wrong, to follow "NAME cannot be loaded: ". Return: 0; -ENOMEM. */
int module_fault_clause(const ModuleFault *fault, char **ret) {
        const char *hole;
        int n;

        assert(fault && ret);

        hole = strstr(texts[fault->kind].clause, "%s");
        if (hole)
                n = asprintf(ret, "%.*s%s%s", (int) (hole - texts[fault->kind].clause),
                             texts[fault->kind].clause, fault->detail ?: "?", hole + strlen("%s"));
        else
                n = asprintf(ret, "%s", texts[fault->kind].clause);
        if (n >= 0)
                return 0;
        *ret = NULL;
        return -ENOMEM;
}

/* Why it is not known whether a file has a fault. */
const char *module_fault_unknown_text(int error) {
        switch (error) {
        case -EOPNOTSUPP:
        case -ENOSYS:
                return "the library that reads it is not installed";
        case -EFBIG:
                return "decompressing it takes more memory than it may";
        default:
                return strerror(-error);
        }
}

/* What to do about it; a template in which {module} is the name. */
const char *module_fault_remedy(ModuleFaultKind kind) {
        assert(kind < _MODULE_FAULT_KIND_MAX);

        return texts[kind].remedy;
}

void module_fault_clear(ModuleFault *f) {
        assert(f);

        free(f->detail);
        *f = (ModuleFault) {};
}
