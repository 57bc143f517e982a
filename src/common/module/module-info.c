/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ModuleInfo: the .modinfo section of a module file, read by libkmod.
 * libkmod depends on libcrypto, which takes longer to start than most verbs of lkmctl take in all. So
 * libkmod is opened only when a file is first asked about, which hardly any verb does, and then stays open.
 */

#include "common/module/module-info.h"

#include <assert.h>
#include <dlfcn.h>
#include <elf.h>
#include <libkmod.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <syslog.h>

#include "common/base/file-access.h"
#include "common/base/limits.h"
#include "common/base/module-name.h"
#include "common/base/paths.h"
#include "common/base/string-list.h"
#include "common/base/util.h"
#include "common/module/packed-file.h"

#define LIBKMOD "libkmod.so.2"

/* The functions of libkmod that are used, with the types of its header. */
#define LIBKMOD_SYMBOLS(_)                                                                                           \
        _(kmod_new)                                                                                                  \
        _(kmod_unref)                                                                                                \
        _(kmod_set_log_priority)                                                                                     \
        _(kmod_module_new_from_path)                                                                                 \
        _(kmod_module_unref)                                                                                         \
        _(kmod_module_get_info)                                                                                      \
        _(kmod_module_info_get_key)                                                                                  \
        _(kmod_module_info_get_value)                                                                                \
        _(kmod_module_info_free_list)                                                                                \
        _(kmod_list_next)

#define DECLARE_SYMBOL(name) typeof(name) *name;
static struct Libkmod {
        LIBKMOD_SYMBOLS(DECLARE_SYMBOL)
} lib;

static int find_symbol(void *handle, const char *name, void *ret) {
        void *symbol = dlsym(handle, name);

        if (!symbol)
                return -ENOSYS;
        memcpy(ret, &symbol, sizeof(symbol));
        return 0;
}

#define FIND_SYMBOL(name)                                                                                            \
        if (find_symbol(handle, #name, &found.name) < 0)                                                             \
                return -ENOSYS;

/* Return: 0; -ENOSYS: there is no libkmod, or it lacks one of these. */
static int open_libkmod(void) {
        static bool opened;
        struct Libkmod found;
        void *handle;

        if (opened)
                return 0;
        handle = dlopen(LIBKMOD, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (!handle)
                return -ENOSYS;
        LIBKMOD_SYMBOLS(FIND_SYMBOL)
        lib = found;
        opened = true;
        return 0;
}

/* One file and its .modinfo. */
typedef struct ModuleInfo {
        struct kmod_ctx *ctx;
        struct kmod_module *module;
        struct kmod_list *list;
        int copy_fd;                    /* of a file that libkmod may not open; -EBADF: there is none */
} ModuleInfo;

static void module_info_close(ModuleInfo *info) {
        if (info->list)
                lib.kmod_module_info_free_list(info->list);
        if (info->module)
                (void) lib.kmod_module_unref(info->module);
        if (info->ctx)
                (void) lib.kmod_unref(info->ctx);
        closep(&info->copy_fd);
}

/* libkmod would block at a FIFO, and read a file without end. */
static int check_file(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        return !S_ISREG(st.st_mode) ? -EBADF : st.st_size > MODULE_FILE_MAX ? -EFBIG : 0;
}

/* A number of two bytes in an ELF header, in the byte order of the file. */
static unsigned half_word(const unsigned char *header, size_t at) {
        bool big_endian = header[EI_DATA] == ELFDATA2MSB;

        return (unsigned) header[at + !big_endian] << 8 | header[at + big_endian];
}

/*
 * libkmod (34) ends the process with an assertion if the header names a section for the section names that
 * the file does not have, as when a disk lost a part of the file. The kernel refuses such a file.
 *
 * Return: 0, also for a file that is no ELF; -ENOEXEC; what pread(2) says.
 */
static int check_elf_header(int fd) {
        unsigned char header[sizeof(Elf64_Ehdr)] = {};
        unsigned n_sections, names;
        bool wide;
        ssize_t n;

        n = pread(fd, header, sizeof(header), 0);
        if (n < 0)
                return -errno;
        if (n < SELFMAG || memcmp(header, ELFMAG, SELFMAG) != 0)
                return 0;

        wide = header[EI_CLASS] == ELFCLASS64;
        n_sections = half_word(header, wide ? offsetof(Elf64_Ehdr, e_shnum) : offsetof(Elf32_Ehdr, e_shnum));
        names = half_word(header, wide ? offsetof(Elf64_Ehdr, e_shstrndx) : offsetof(Elf32_Ehdr, e_shstrndx));
        return names != SHN_UNDEF && names < n_sections ? 0 : -ENOEXEC;
}

/* libkmod opens files by their paths. Return: a descriptor of a copy in memory; -EFBIG; negative errno. */
static int copy_file(int fd) {
        _cleanup_(closep) int copy_fd = -EBADF;
        ssize_t n;

        copy_fd = memfd_create("lkmd-module", MFD_CLOEXEC);
        if (copy_fd < 0)
                return -errno;
        for (off_t at = 0;;) {
                n = sendfile(copy_fd, fd, &at, MODULE_UNPACKED_MAX + (size_t) 1 - (size_t) at);
                if (n <= 0)
                        return n < 0 ? -errno : STEAL_FD(copy_fd);
                if (at > (off_t) MODULE_UNPACKED_MAX)
                        return -EFBIG;
        }
}

static int is_packed(int fd) {
        unsigned char begin[PACKED_FILE_MAGIC_MAX];
        ssize_t n = pread(fd, begin, sizeof(begin), 0);

        return n < 0 ? -errno : packed_file_is_packed(begin, (size_t) n);
}

/*
 * Opens @path, or a copy of what only FileAccess could open, or of what is in a compressed file: libkmod decompresses
 * without a bound. Return: as module_info_open().
 */
static int open_file(ModuleInfo *info, const char *path) {
        char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        _cleanup_(closep) int fd = -EBADF;
        int r;

        fd = file_access_open(path);
        if (fd < 0)
                return fd;
        r = check_file(fd);
        if (r < 0)
                return r;
        r = is_packed(fd);
        if (r < 0)
                return r;
        if (r > 0 || access(path, R_OK) < 0) {
                info->copy_fd = r > 0 ? packed_file_unpack(fd) : copy_file(fd);
                if (info->copy_fd < 0)
                        return info->copy_fd;
                (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", info->copy_fd);
                path = link;
        }
        r = check_elf_header(info->copy_fd >= 0 ? info->copy_fd : fd);
        return r < 0 ? r : lib.kmod_module_new_from_path(info->ctx, path, &info->module);
}

/* Return: 0; -ENOSYS without libkmod; -ENOMEM; why the file cannot be read. To be closed in any case. */
static int module_info_open(ModuleInfo *ret, const char *path) {
        static const char *const no_config[] = { NULL };
        int r;

        *ret = (ModuleInfo) { .copy_fd = -EBADF };
        r = open_libkmod();
        if (r < 0)
                return r;
        ret->ctx = lib.kmod_new(NULL, no_config);
        if (!ret->ctx)
                return -ENOMEM;
        lib.kmod_set_log_priority(ret->ctx, LOG_CRIT);
        r = open_file(ret, path);
        if (r < 0)
                return r;
        r = lib.kmod_module_get_info(ret->module, &ret->list);
        return r < 0 ? r : 0;
}

#define INFO_FOREACH(item, info) \
        for (item = (info)->list; item; item = lib.kmod_list_next((info)->list, item))

/* Adds the name of "NAME:..." if it is not there yet. */
static int append_name(char ***names, const char *text) {
        _cleanup_(freep) char *name = strndup(text, strcspn(text, ":"));

        if (!name)
                return -ENOMEM;
        return string_list_contains(*names, name) ? 0 : string_list_append(names, name, strlen(name));
}

static int append_text(char ***strings, const char *text) {
        return string_list_append(strings, text, strlen(text));
}

/**
 * module_path_get_place() - where a module file lies in the directory of its kernel's modules
 * @path: of the file, from an index: MODULE_ROOT/RELEASE/PLACE, with the directory before it that stands for the root
 *
 * Return: a part of @path, such as "kernel/drivers/net/dummy.ko.xz"; all of it if it lies somewhere else, as
 * modules.dep may say.
 */
const char *module_path_get_place(const char *path) {
        const char *release, *place;

        assert(path);

        release = strstr(path, MODULE_ROOT "/");
        place = release ? strchr(release + strlen(MODULE_ROOT "/"), '/') : NULL;
        return place ? place + 1 : path;
}

/* Gives @take the value of each line with the first key, or with the second, unless that is NULL; to fill a list. */
static int collect(const char *path, const char *first, const char *second,
                   int (*take)(char ***strings, const char *value), char ***ret) {
        _cleanup_(module_info_close) ModuleInfo info = { .copy_fd = -EBADF };
        _cleanup_(string_list_freep) char **strings = NULL;
        struct kmod_list *item;
        int r;

        r = string_list_new(&strings);
        if (r < 0)
                return r;
        r = module_info_open(&info, path);
        if (r < 0)
                return r;

        INFO_FOREACH(item, &info) {
                const char *key = lib.kmod_module_info_get_key(item);

                if (!streq(key, first) && !streq_ptr(key, second))
                        continue;
                r = take(&strings, lib.kmod_module_info_get_value(item));
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(strings);
        return 0;
}

/**
 * module_info_parameters() - the names of the parameters that a module has
 * @path: of the file
 * @ret:  to be freed with string_list_free(); without the parameters that every module has
 *
 * A parameter has a "parmtype" line, and a "parm" line if it has a description
 * (include/linux/moduleparam.h).
 *
 * Return: 0; negative errno if the file cannot be read.
 */
int module_info_parameters(const char *path, char ***ret) {
        assert(path && ret);

        return collect(path, "parm", "parmtype", append_name, ret);
}

/**
 * module_info_parameter_types() - "NAME:TYPE" of each parameter whose type is known
 * @ret: to be freed with string_list_free()
 *
 * Return: as module_info_parameters().
 */
int module_info_parameter_types(const char *path, char ***ret) {
        assert(path && ret);

        return collect(path, "parmtype", NULL, append_text, ret);
}

/* Sets a text that is not set yet: of several lines the first counts. */
static int take_first(char **text, const char *value) {
        if (*text)
                return 0;
        *text = strdup(value);
        return *text ? 0 : -ENOMEM;
}

/*
 * The kernel accepts these for every module, and shows them nowhere: kernel/module/main.c, unknown_module_param_cb().
 * @assignment: "name" or "name=value"
 */
bool module_parameter_is_universal(const char *assignment) {
        size_t n;

        assert(assignment);

        n = strcspn(assignment, "=");
        return (n == strlen("dyndbg") && strncmp(assignment, "dyndbg", n) == 0) ||
               (n == strlen("async_probe") && strncmp(assignment, "async_probe", n) == 0);
}

/**
 * module_parameter_is_known() - would the kernel find the parameter?
 * @known:      of module_info_parameters()
 * @assignment: "name" or "name=value"
 */
bool module_parameter_is_known(char *const *known, const char *assignment) {
        size_t n;

        assert(known && assignment);

        n = strcspn(assignment, "=");
        if (module_parameter_is_universal(assignment))
                return true;
        for (size_t i = 0; known[i]; i++)
                if (strlen(known[i]) == n && module_name_equal(known[i], assignment, n))
                        return true;
        return false;
}

/**
 * module_info_facts() - what policies and plans ask about a module file
 * @ret: to be cleared, but not after a failure
 *
 * Return: as module_info_parameters().
 */
int module_info_facts(const char *path, ModuleFacts *ret) {
        _cleanup_(module_info_close) ModuleInfo info = { .copy_fd = -EBADF };
        _cleanup_(module_facts_clear) ModuleFacts facts = {};
        struct kmod_list *item;
        int r;

        assert(path && ret);

        r = module_info_open(&info, path);
        if (r < 0)
                return r;

        INFO_FOREACH(item, &info) {
                const char *key = lib.kmod_module_info_get_key(item);

                facts.is_signed |= streq(key, "sig_id");
                facts.in_tree |= streq(key, "intree");
                r = streq(key, "license")    ? take_first(&facts.license, lib.kmod_module_info_get_value(item))
                    : streq(key, "signer")   ? take_first(&facts.signer, lib.kmod_module_info_get_value(item))
                    : streq(key, "name")     ? take_first(&facts.name, lib.kmod_module_info_get_value(item))
                    : streq(key, "vermagic")
                            ? take_first(&facts.vermagic, lib.kmod_module_info_get_value(item))
                            : 0;
                if (r < 0)
                        return r;
        }

        *ret = facts;
        facts = (ModuleFacts) {};
        return 0;
}

void module_facts_clear(ModuleFacts *f) {
        assert(f);

        free(f->license);
        free(f->signer);
        free(f->name);
        free(f->vermagic);
        *f = (ModuleFacts) {};
}
