/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * MemoryReport: puts together what no single source says. The size of a module is /proc/modules' word; how it is
 * divided follows from its file, and counts only if it comes to the same size: else the kernel was built another
 * way, or the file is not the one that was loaded. Owns the modules and the rows.
 */

#include "cli/picture/memory-report.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/machine/module-drivers.h"
#include "cli/print/fields.h"
#include "common/base/string-list.h"

static sd_json_variant *find_module(sd_json_variant *modules, const char *name) {
        ARRAY_FOREACH_INDEX(modules, i)
                if (streq_ptr(field_string(sd_json_variant_by_index(modules, i), "name"), name))
                        return sd_json_variant_by_index(modules, i);
        return NULL;
}

/* Was it loaded for a device or a request of the kernel's, rather than because somebody said so? */
static bool is_on_demand(sd_json_variant *module) {
        const char *origin = field_string(field_object(field_object(module, "loadedBy"), "requester"),
                                          "origin");

        return streq_ptr(origin, "device") || streq_ptr(origin, "kernel");
}

/* Return: 0; -ENOMEM. */
static int find_idle(const char *root, const ProcModule *m, sd_json_variant *module, bool *ret) {
        _cleanup_(string_list_freep) char **devices = NULL;
        _cleanup_(freep) char *sys = NULL;
        int r;

        *ret = false;
        if (m->ref_count != 0 || m->has_users || !m->is_live || !is_on_demand(module))
                return 0;
        if (asprintf(&sys, "%s/sys", root ?: "") < 0) {
                sys = NULL;
                return -ENOMEM;
        }
        r = module_devices_new(sys, m->name, &devices);
        if (r < 0)
                return r;
        *ret = string_list_count(devices) == 0;
        return 0;
}

static int fill_row(MemoryReport *report, const char *root, const ProcModule *m, sd_json_variant *modules,
                    MemoryRow *row) {
        sd_json_variant *module = find_module(modules, m->name);
        const char *path = field_string(module, "path");
        int r;

        *row = (MemoryRow) { .name = m->name, .size_bytes = m->size_bytes };
        if (path) {
                r = module_layout_read(path, &row->layout);
                if (r == -ENOMEM)
                        return r;
                row->has_layout = r >= 0 &&
                                  module_layout_core_pages(&row->layout, report->page_size) == m->size_bytes;
        }
        return module ? find_idle(root, m, module, &row->idle) : 0;
}

/* Its code, in whole pages. */
uint64_t memory_row_text(const MemoryReport *report, const MemoryRow *row) {
        assert(report && row);

        return (row->layout.bytes[MEMORY_TEXT] + report->page_size - 1) / report->page_size *
               report->page_size;
}

/* What is lost at the ends of its pages. */
uint64_t memory_row_lost(const MemoryReport *report, const MemoryRow *row) {
        assert(report && row);

        return module_layout_core_pages(&row->layout, report->page_size) -
               module_layout_core_bytes(&row->layout);
}

static void add_up(MemoryReport *report, const MemoryRow *row) {
        report->size_bytes += row->size_bytes;
        report->n_unknown += !row->has_layout;
        report->n_idle += row->idle;
        report->idle_bytes += row->idle ? row->size_bytes : 0;
        if (!row->has_layout)
                return;
        report->text_bytes += memory_row_text(report, row);
        report->data_bytes += row->size_bytes - memory_row_text(report, row);
        report->lost_bytes += memory_row_lost(report, row);
        report->init_bytes += module_layout_init_bytes(&row->layout);
        report->n_areas += module_layout_areas(&row->layout);
}

static int compare_rows(const void *a, const void *b) {
        const MemoryRow *x = a, *y = b;

        if (x->size_bytes != y->size_bytes)
                return x->size_bytes > y->size_bytes ? -1 : 1;
        return strcmp(x->name, y->name);
}

/**
 * memory_report_new() - look at the memory of all modules
 * @root:    what is before /proc and /sys; NULL: nothing
 * @modules: the array of the reply of List; borrowed for this call; NULL: lkmd was not asked
 * @ret:     cleared by memory_report_clear(), also after a failure
 *
 * Return: 0; -ENOMEM; what open(2) and read(2) say of /proc/modules.
 */
int memory_report_new(const char *root, sd_json_variant *modules, MemoryReport *ret) {
        int r;

        assert(ret);

        *ret = (MemoryReport) { .page_size = (uint64_t) sysconf(_SC_PAGESIZE), .asked_lkmd = modules };
        r = proc_modules_read(root, &ret->modules);
        if (r < 0)
                return r;
        ret->rows = calloc(ret->modules.n_items + 1, sizeof(*ret->rows));
        if (!ret->rows)
                return -ENOMEM;
        for (size_t i = 0; i < ret->modules.n_items; i++) {
                r = fill_row(ret, root, ret->modules.items + i, modules, ret->rows + i);
                if (r < 0)
                        return r;
                ret->n_rows++;
                add_up(ret, ret->rows + i);
        }
        qsort(ret->rows, ret->n_rows, sizeof(*ret->rows), compare_rows);

        ret->vmalloc_error = vmalloc_info_read(root, ret->page_size, &ret->vmalloc);
        if (ret->vmalloc_error == -ENOMEM)
                return -ENOMEM;
        r = direct_map_read(root, &ret->direct_map);
        return r == -ENOMEM ? r : 0;    /* what does not tell has none */
}

void memory_report_clear(MemoryReport *report) {
        assert(report);

        free(report->rows);
        proc_modules_clear(&report->modules);
        *report = (MemoryReport) {};
}
