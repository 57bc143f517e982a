/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * KernelMemory: parses files of /proc, line by line. A line that is not what it should be is passed over: kernels
 * differ in them. Owns nothing but the names of modules.
 */

#include "cli/machine/kernel-memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/machine/proc-file.h"
#include "common/base/array.h"
#include "common/base/number.h"

#define WORDS_MAX 16U                   /* of a line that are looked at */

typedef int (*on_line_t)(char **words, size_t n_words, void *userdata);

/* Return: 0; what open(2) says, such as -EACCES; -EFBIG; -ENOMEM; what @on_line returns. */
static int each_line(const char *root, const char *name, on_line_t on_line, void *userdata) {
        _cleanup_(freep) char *text = NULL;
        char *words[WORDS_MAX], *rest, *line;
        int r;

        r = proc_file_new(&text, "%s/proc/%s", root ?: "", name);
        if (r < 0)
                return r;
        rest = text;
        while ((line = proc_file_line(&rest))) {
                r = on_line(words, proc_line_split(line, words, WORDS_MAX), userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool to_number(const char *word, uint64_t *ret) {
        return number_take(&word, UINT64_MAX, ret) >= 0 && *word == '\0';
}

/* "ptp 45056 1 e1000e, Live 0xffffffffc0200000" */
static int on_module(char **words, size_t n_words, void *userdata) {
        ProcModules *m = userdata;
        uint64_t size, count = 0;
        bool has_count;
        int r;

        if (n_words < 5 || !to_number(words[1], &size))
                return 0;
        has_count = to_number(words[2], &count);
        r = array_reserve(&m->items, &m->allocated, m->n_items + 1, sizeof(*m->items));
        if (r < 0)
                return r;
        m->items[m->n_items] = (ProcModule) {
                .name = strdup(words[0]),
                .size_bytes = size,
                .ref_count = has_count && count <= INT32_MAX ? (int64_t) count : -1,
                .has_users = !streq(words[3], "-"),
                .is_live = streq(words[4], "Live"),
        };
        return m->items[m->n_items++].name ? 0 : -ENOMEM;
}

/**
 * proc_modules_read() - the modules in the kernel
 * @root: what is before /proc; NULL: nothing
 * @ret:  cleared by proc_modules_clear(), also after a failure
 *
 * Return: 0; -ENOMEM; what open(2) and read(2) say.
 */
int proc_modules_read(const char *root, ProcModules *ret) {
        assert(ret);

        *ret = (ProcModules) {};
        return each_line(root, "modules", on_module, ret);
}

void proc_modules_clear(ProcModules *m) {
        assert(m);

        for (size_t i = 0; i < m->n_items; i++)
                free(m->items[i].name);
        free(m->items);
        *m = (ProcModules) {};
}

typedef struct VmallocReading {
        VmallocInfo *info;
        uint64_t page_size;
} VmallocReading;

/*
 * Does an area belong to modules? Its caller is whoever asked the allocator: load_module() with all that the
 * compiler has put into it, or a function of kernel/module/main.c, or, in later kernels, of mm/execmem.c.
 */
static bool is_of_modules(const char *caller) {
        static const char *const names[] = {
                "load_module", "layout_and_allocate", "move_module", "module_alloc", "module_memory_alloc",
                "execmem_alloc", "execmem_alloc_rw", "execmem_vmalloc", "execmem_cache_alloc", "execmem_cache_populate",
        };
        size_t length = strcspn(caller, "+");

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (strlen(names[i]) == length && strncmp(caller, names[i], length) == 0)
                        return true;
        return false;
}

static void sum_up(VmallocSum *sum, uint64_t size, uint64_t pages_bytes) {
        sum->areas++;
        sum->bytes += pages_bytes;
        sum->guard_bytes += size - pages_bytes;
}

/* "0x00000000a2-0x00000000b1   20480 load_module+0x5a1/0x1d60 pages=4 vmalloc N0=4"; the addresses are hashed */
static int on_area(char **words, size_t n_words, void *userdata) {
        const VmallocReading *reading = userdata;
        uint64_t size, pages;

        if (n_words < 3 || !to_number(words[1], &size))
                return 0;
        if (streq(words[2], "unpurged")) {
                reading->info->unpurged_areas++;
                return 0;
        }
        for (size_t i = 3; i < n_words; i++)
                if (startswith(words[i], "pages=") && to_number(words[i] + strlen("pages="), &pages) &&
                    pages <= size / reading->page_size) {
                        sum_up(&reading->info->all, size, pages * reading->page_size);
                        if (is_of_modules(words[2]))
                                sum_up(&reading->info->modules, size, pages * reading->page_size);
                        return 0;
                }
        sum_up(&reading->info->all, size, size);
        return 0;
}

/**
 * vmalloc_info_read() - the areas of the kernel's address space for memory that is not contiguous
 *
 * Return: 0; -EACCES: only root sees them; -ENOENT; -ENOMEM; what open(2) and read(2) say.
 */
int vmalloc_info_read(const char *root, uint64_t page_size, VmallocInfo *ret) {
        VmallocInfo info = {};
        VmallocReading reading = { &info, page_size };
        int r;

        assert(page_size > 0 && ret);

        r = each_line(root, "vmallocinfo", on_area, &reading);
        if (r < 0)
                return r;
        *ret = info;
        return 0;
}

/* "4k", "2M", "1G", in bytes; 0: it is none. */
static uint64_t to_page_size(const char *word) {
        uint64_t n;

        if (number_take(&word, 1024, &n) < 0 || word[0] == '\0' || (word[1] != ':' && word[1] != '\0'))
                return 0;
        switch (*word) {
        case 'k':
                return n << 10;
        case 'M':
                return n << 20;
        case 'G':
                return n << 30;
        default:
                return 0;
        }
}

/* "DirectMap2M:      952320 kB" */
static int on_meminfo(char **words, size_t n_words, void *userdata) {
        DirectMap *map = userdata;
        uint64_t page_bytes, kib;

        if (n_words < 3 || !startswith(words[0], "DirectMap") || !streq(words[2], "kB") ||
            map->n_sizes == DIRECT_MAP_MAX || !to_number(words[1], &kib) || kib > UINT64_MAX >> 10)
                return 0;
        page_bytes = to_page_size(words[0] + strlen("DirectMap"));
        if (page_bytes == 0)
                return 0;
        map->sizes[map->n_sizes].page_bytes = page_bytes;
        map->sizes[map->n_sizes++].bytes = kib << 10;
        return 0;
}

/**
 * direct_map_read() - by pages of which sizes the kernel sees the memory
 *
 * x86 and few others tell: arch_report_meminfo().
 *
 * Return: 0; -ENOMEM; what open(2) and read(2) say.
 */
int direct_map_read(const char *root, DirectMap *ret) {
        DirectMap map = {};
        int r;

        assert(ret);

        r = each_line(root, "meminfo", on_meminfo, &map);
        if (r < 0)
                return r;
        *ret = map;
        return 0;
}
