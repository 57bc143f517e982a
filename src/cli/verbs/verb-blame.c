/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* blame: the loads of the boot by their time in the kernel. */

#include "cli/picture/loads-fetch.h"
#include "cli/print/format.h"
#include "cli/print/reply-text.h"
#include "cli/print/table.h"
#include "cli/verbs/verbs.h"

static uint64_t time_in_kernel(const Load *load) {
        return load->seen ? 0 : load->took_usec;
}

/* Slowest first; then as they came. */
static int compare_times(const void *a, const void *b) {
        const Load *x = a, *y = b;

        if (time_in_kernel(x) != time_in_kernel(y))
                return time_in_kernel(x) > time_in_kernel(y) ? -1 : 1;
        return x->queued_usec < y->queued_usec ? -1 : x->queued_usec > y->queued_usec;
}

static void write_live(FILE *f, const Load *load) {
        print_duration(f, load->live_after_usec);
}

/* The rest, in which the kernel had it wait for the probes of all drivers. */
static void write_probes(FILE *f, const Load *load) {
        if (load->took_usec > load->live_after_usec)
                print_duration(f, load->took_usec - load->live_after_usec);
        else
                (void) fputc('-', f);
}

static void write_queued(FILE *f, const Load *load) {
        print_duration(f, load->began_usec - load->queued_usec);
}

static void write_module(FILE *f, const Load *load) {
        print_escaped(f, load->module);
        if (load->fate != LOAD_DONE)
                (void) fputs(load->fate == LOAD_FAILED ? " (failed)" : " (under way)", f);
}

static void write_requester(FILE *f, const Load *load) {
        print_record_requester_short(f, load->record);
}

/* Return: 0; negative errno. Counts what was not loaded by lkmd, and so has no time. */
static int print_table(const Output *out, const Loads *loads, size_t *ret_n_seen) {
        static const Column columns[] = {
                { "TIME", .right = true },
                { "PROBES", .right = true },
                { "QUEUED", .right = true },
                { "MODULE", .wrap = true },
                { "REQUESTER", .wrap = true },
        };
        static void (*const writers[])(FILE *f, const Load *load) = {
                write_live, write_probes, write_queued, write_module, write_requester,
        };
        _cleanup_(table_freep) Table *table = NULL;
        int r;

        *ret_n_seen = 0;
        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;
        for (size_t i = 0; i < loads->n_items; i++) {
                if (loads->items[i].seen) {
                        ++*ret_n_seen;
                        continue;
                }
                r = table_line(table);
                for (size_t k = 0; r >= 0 && k < ARRAY_LEN(writers); k++) {
                        FILE *f = table_cell(table);

                        if (f)
                                writers[k](f, loads->items + i);
                        r = table_cell_end(table);
                }
                if (r < 0)
                        return r;
        }
        return table_print(table);
}

int verb_blame(Run *run, char **args, unsigned n_args) {
        _cleanup_(history_clear) History history = {};
        _cleanup_(loads_clear) Loads loads = {};
        size_t n_seen;
        int r;

        r = loads_fetch(run, &history, &loads);
        if (r != 0)
                return r;
        if (loads.n_items > 0)
                qsort(loads.items, loads.n_items, sizeof(*loads.items), compare_times);
        if (run->out.json != JSON_OFF)
                return loads_print_json(run, &loads);
        if (run->out.quiet)
                return STATUS_DONE;

        r = print_table(&run->out, &loads, &n_seen);
        if (r < 0)
                return r;
        if (n_seen > 0)
                printf("%sNot shown: %zu module%s that came without lkmd, whose time nobody took.%s\n",
                       output_tone(&run->out, stdout, TONE_DIM), n_seen, n_seen == 1 ? "" : "s",
                       output_tone(&run->out, stdout, TONE_PLAIN));
        loads_print_left_out(run, &loads, "blame");
        return output_flush();
}
