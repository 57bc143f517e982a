/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* memory: what the modules in the kernel take, and what of it is of no use. */

#include <inttypes.h>

#include "cli/picture/memory-report.h"
#include "cli/print/fields.h"
#include "cli/print/format.h"
#include "cli/print/table.h"
#include "cli/verbs/verbs.h"
#include "common/base/paths.h"

#define IDLE_NAMES_MAX 12U              /* of idle modules in the summary; JSON has all */

/* ------------------------------------------------------------------------------------------------ text */

static void write_cell(FILE *f, const MemoryReport *report, const MemoryRow *row, size_t column) {
        if (column == 0) {
                print_escaped(f, row->name);
                return;
        }
        if (column == 1) {
                print_size(f, row->size_bytes);
                return;
        }
        if (column == 7) {
                (void) fputs(row->idle ? "idle" : "", f);
                return;
        }
        if (!row->has_layout) {
                (void) fputc('-', f);
                return;
        }
        if (column == 2)
                print_size(f, memory_row_text(report, row));
        else if (column == 3)
                print_size(f, row->size_bytes - memory_row_text(report, row));
        else if (column == 4)
                print_size(f, memory_row_lost(report, row));
        else if (column == 5)
                print_size(f, module_layout_init_bytes(&row->layout));
        else
                (void) fprintf(f, "%u", module_layout_areas(&row->layout));
}

static int print_table(const Output *out, const MemoryReport *report) {
        static const Column columns[] = {
                { "MODULE", .wrap = true },
                { "SIZE", .right = true },
                { "CODE", .right = true },
                { "DATA", .right = true },
                { "LOST", .right = true },
                { "INIT", .right = true },
                { "AREAS", .right = true },
                { "USE" },
        };
        _cleanup_(table_freep) Table *table = NULL;
        int r;

        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        for (size_t i = 0; r >= 0 && i < report->n_rows; i++) {
                r = table_line(table);
                for (size_t k = 0; r >= 0 && k < ARRAY_LEN(columns); k++) {
                        FILE *f = table_cell(table);

                        if (f)
                                write_cell(f, report, report->rows + i, k);
                        r = table_cell_end(table);
                }
        }
        return r < 0 ? r : table_print(table);
}

/* A number of bytes with its share of another. */
static void print_share(uint64_t bytes, uint64_t of) {
        print_size(stdout, bytes);
        if (of > 0)
                printf(" (%.0f %%)", 100.0 * (double) bytes / (double) of);
}

static void print_sums(const Output *out, const MemoryReport *report) {
        output_label(out, "Modules");
        printf("%zu, ", report->n_rows);
        print_size(stdout, report->size_bytes);
        putchar('\n');
        if (report->n_unknown == report->n_rows)
                return;
        output_label(out, "Code");
        print_share(report->text_bytes, report->size_bytes);
        putchar('\n');
        output_label(out, "Data");
        print_share(report->data_bytes, report->size_bytes);
        putchar('\n');
        output_label(out, "Lost");
        print_share(report->lost_bytes, report->size_bytes);
        printf(", at the ends of pages\n");
        output_label(out, "Init");
        print_size(stdout, report->init_bytes);
        printf(", freed when they were loaded\n");
}

static void print_areas(const Output *out, const MemoryReport *report) {
        const VmallocInfo *v = &report->vmalloc;

        output_label(out, "Areas");
        if (report->vmalloc_error == -EACCES || report->vmalloc_error == -EPERM) {
                printf("only root sees /proc/vmallocinfo: sudo lkmctl memory\n");
                return;
        }
        if (report->vmalloc_error < 0) {
                printf("/proc/vmallocinfo cannot be read: %s\n", strerror(-report->vmalloc_error));
                return;
        }
        printf("%" PRIu64 " of modules with ", v->modules.areas);
        print_size(stdout, v->modules.bytes);
        printf(", of %" PRIu64 " with ", v->all.areas);
        print_size(stdout, v->all.bytes);
        putchar('\n');
}

static void print_direct_map(const Output *out, const MemoryReport *report) {
        uint64_t sum = 0;

        for (size_t i = 0; i < report->direct_map.n_sizes; i++)
                sum += report->direct_map.sizes[i].bytes;
        if (report->direct_map.n_sizes == 0)
                return;
        output_label(out, "Direct map");
        for (size_t i = 0; i < report->direct_map.n_sizes; i++) {
                if (i > 0)
                        printf(", ");
                print_share(report->direct_map.sizes[i].bytes, sum);
                printf(" in pages of ");
                print_size(stdout, report->direct_map.sizes[i].page_bytes);
        }
        putchar('\n');
}

static void print_idle(const Output *out, const MemoryReport *report) {
        size_t n = 0;

        output_label(out, "Idle");
        if (!report->asked_lkmd) {
                printf("lkmd does not answer, and only it knows what was loaded on demand: systemctl status lkmd\n");
                return;
        }
        printf("%zu, ", report->n_idle);
        print_size(stdout, report->idle_bytes);
        printf("%s", report->n_idle > 0 ? ": " : "\n");
        for (size_t i = 0; i < report->n_rows && n < IDLE_NAMES_MAX; i++) {
                if (!report->rows[i].idle)
                        continue;
                printf("%s", n++ > 0 ? ", " : "");
                print_escaped(stdout, report->rows[i].name);
        }
        if (report->n_idle > 0)
                printf("%s\n", report->n_idle > n ? " ..." : "");
}

static int print_text(const Output *out, const MemoryReport *report) {
        int r;

        r = print_table(out, report);
        if (r < 0)
                return r;
        putchar('\n');
        print_sums(out, report);
        print_areas(out, report);
        print_direct_map(out, report);
        print_idle(out, report);
        if (report->asked_lkmd && report->n_unknown > 0) {
                output_label(out, "Not known");
                printf("of %zu, whose file is not there, or does not come to the size that the kernel gives\n",
                       report->n_unknown);
        }
        return output_flush();
}

/* ------------------------------------------------------------------------------------------------ JSON */

static int rows_to_json(const MemoryReport *report, sd_json_variant **ret) {
        int r = sd_json_variant_new_array(ret, NULL, 0);

        for (size_t i = 0; r >= 0 && i < report->n_rows; i++) {
                const MemoryRow *row = report->rows + i;
                const uint64_t *bytes = row->layout.bytes;
                bool known = row->has_layout;

                r = sd_json_variant_append_arraybo(
                        ret, SD_JSON_BUILD_PAIR_STRING("module", row->name),
                        SD_JSON_BUILD_PAIR_UNSIGNED("sizeBytes", row->size_bytes),
                        SD_JSON_BUILD_PAIR_CONDITION(known, "textBytes", SD_JSON_BUILD_UNSIGNED(bytes[MEMORY_TEXT])),
                        SD_JSON_BUILD_PAIR_CONDITION(known, "dataBytes", SD_JSON_BUILD_UNSIGNED(bytes[MEMORY_DATA])),
                        SD_JSON_BUILD_PAIR_CONDITION(known, "readOnlyBytes",
                                                     SD_JSON_BUILD_UNSIGNED(bytes[MEMORY_RODATA])),
                        SD_JSON_BUILD_PAIR_CONDITION(known, "readOnlyAfterInitBytes",
                                                     SD_JSON_BUILD_UNSIGNED(bytes[MEMORY_RO_AFTER_INIT])),
                        SD_JSON_BUILD_PAIR_CONDITION(
                                known, "initBytes",
                                SD_JSON_BUILD_UNSIGNED(module_layout_init_bytes(&row->layout))),
                        SD_JSON_BUILD_PAIR_CONDITION(known, "lostBytes",
                                                     SD_JSON_BUILD_UNSIGNED(memory_row_lost(report, row))),
                        SD_JSON_BUILD_PAIR_CONDITION(
                                known, "areas", SD_JSON_BUILD_UNSIGNED(module_layout_areas(&row->layout))),
                        SD_JSON_BUILD_PAIR_CONDITION(report->asked_lkmd, "idle",
                                                     SD_JSON_BUILD_BOOLEAN(row->idle)));
        }
        return r;
}

static int vmalloc_to_json(const VmallocInfo *v, sd_json_variant **ret) {
        return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_UNSIGNED("moduleAreas", v->modules.areas),
                              SD_JSON_BUILD_PAIR_UNSIGNED("moduleBytes", v->modules.bytes),
                              SD_JSON_BUILD_PAIR_UNSIGNED("moduleGuardBytes", v->modules.guard_bytes),
                              SD_JSON_BUILD_PAIR_UNSIGNED("areas", v->all.areas),
                              SD_JSON_BUILD_PAIR_UNSIGNED("bytes", v->all.bytes),
                              SD_JSON_BUILD_PAIR_UNSIGNED("unpurgedAreas", v->unpurged_areas));
}

static int direct_map_to_json(const DirectMap *map, sd_json_variant **ret) {
        int r = sd_json_variant_new_array(ret, NULL, 0);

        for (size_t i = 0; r >= 0 && i < map->n_sizes; i++)
                r = sd_json_variant_append_arraybo(
                        ret, SD_JSON_BUILD_PAIR_UNSIGNED("pageBytes", map->sizes[i].page_bytes),
                        SD_JSON_BUILD_PAIR_UNSIGNED("bytes", map->sizes[i].bytes));
        return r;
}

static int print_json(Output *out, const MemoryReport *report) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *rows = NULL, *vmalloc = NULL, *map = NULL,
                                                          *v = NULL;
        int r;

        r = rows_to_json(report, &rows);
        if (r >= 0 && report->vmalloc_error == 0)
                r = vmalloc_to_json(&report->vmalloc, &vmalloc);
        if (r >= 0)
                r = direct_map_to_json(&report->direct_map, &map);
        if (r >= 0)
                r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("modules", rows),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("pageBytes", report->page_size),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("sizeBytes", report->size_bytes),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("lostBytes", report->lost_bytes),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("initBytes", report->init_bytes),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("unknownModules", report->n_unknown),
                                   SD_JSON_BUILD_PAIR_CONDITION(vmalloc != NULL, "vmalloc",
                                                                SD_JSON_BUILD_VARIANT(vmalloc)),
                                   SD_JSON_BUILD_PAIR_VARIANT("directMap", map),
                                   SD_JSON_BUILD_PAIR_CONDITION(report->asked_lkmd, "idleModules",
                                                                SD_JSON_BUILD_UNSIGNED(report->n_idle)),
                                   SD_JSON_BUILD_PAIR_CONDITION(report->asked_lkmd, "idleBytes",
                                                                SD_JSON_BUILD_UNSIGNED(report->idle_bytes)));
        return r < 0 ? r : output_json(out, v);
}

int verb_memory(Run *run, char **args, unsigned n_args) {
        static const CallHooks hooks = { .answer_usec = ANSWER_SOON_USEC, .silent = true };
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *reply = NULL;
        _cleanup_(memory_report_clear) MemoryReport report = {};
        int r;

        r = client_call(run->client, "List", NULL, &hooks, &reply);
        if (r == -ENOMEM)
                return r;
        r = memory_report_new(secure_getenv(LKMD_ROOT_ENV), r == 0 ? field_array(reply, "modules") : NULL,
                              &report);
        if (r == -ENOENT)
                return failure_print_own(
                        &run->out, CLIENT_ERROR_LOCAL, NULL,
                        "there is no /proc/modules: this kernel has no modules, or /proc is not mounted");
        if (r < 0)
                return r;
        if (run->out.json != JSON_OFF)
                return print_json(&run->out, &report);
        return run->out.quiet ? STATUS_DONE : print_text(&run->out, &report);
}
