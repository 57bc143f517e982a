/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ExplainTrace: what the policy did for each module of a plan, as text. Owns nothing. */

#include "cli/verbs/explain-trace.h"

#include <assert.h>

#include "cli/print/format.h"
#include "cli/print/table.h"

/* What decides where nobody has said anything. */
static bool is_default_of_nobody(const TraceStep *m) {
        return m->what.source == POLICY_BY_DEFAULT && !m->what.file;
}

static void write_how(const Output *out, FILE *f, const TraceStep *m, bool wins) {
        bool default_of_nobody = is_default_of_nobody(m);

        (void) fputs(wins ? out->utf8 ? "▸ " : "> " : "  ", f);
        if (default_of_nobody && m->part == POLICY_DEPENDENCY)
                (void) fputs("decides: comes with what is allowed", f);
        else if (default_of_nobody)
                (void) fputs("decides: nothing else does", f);
        else
                (void) fputs(trace_step_words(m->how), f);
        if (m->what.reason && !default_of_nobody) {
                (void) fputs(": ", f);
                print_escaped(f, m->what.reason);
        }
}

static int add_row(const Output *out, Table *table, const Explanation *q, size_t i, size_t first,
                   const TraceStep *winner) {
        const TraceStep *m = q->trace.items + i;
        FILE *f;
        int r;

        r = table_line(table);
        for (size_t column = 0; r >= 0 && column < 5; column++) {
                f = table_cell(table);
                if (f && column == 0 && i == first) {
                        print_escaped(f, m->module);
                        if (m->part != POLICY_REQUESTED)
                                (void) fputs(m->part == POLICY_DEPENDENCY ? " (needed)" : " (wanted)", f);
                } else if (f && column == 1)
                        (void) fputs(m->what.verdict != POLICY_NO_VERDICT
                                             ? policy_verdict_to_string(m->what.verdict)
                                     : m->what.rule && m->what.rule->n_prefer > 0 ? "prefer"
                                     : m->what.rule && m->what.rule->n_options == 0 &&
                                                     m->what.rule->has_idle_unload
                                             ? "idle-unload"
                                             : "options",
                                     f);
                else if (f && column == 2)
                        print_ruling_name(f, &m->what);
                else if (f && column == 3)
                        print_ruling_place(f, &m->what);
                else if (f && column == 4)
                        write_how(out, f, m, m == winner);
                r = table_cell_end(table);
        }
        return r;
}

static const PlanStep *find_command(const Plan *plan, const char *module) {
        const PlanStep *found = NULL;

        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].action == PLAN_COMMAND && streq(plan->steps[i].module, module))
                        found = plan->steps + i;
        return found;
}

/* What comes after the policy: whether the module gets in is up to its install line. */
static int add_command_row(Table *table, const Plan *plan, const char *module) {
        const PlanStep *s = find_command(plan, module);
        FILE *f;
        int r;

        if (!s)
                return 0;
        r = table_line(table);
        for (size_t column = 0; r >= 0 && column < 5; column++) {
                f = table_cell(table);
                if (f && column == 3)
                        print_ruling_place(
                                f, &(PolicyRuling) { .file = s->command_file, .line = s->command_line });
                else if (f)
                        (void) fputs(column == 1   ? "command"
                                     : column == 2 ? "install line"
                                     : column == 4 ? "  then its command decides"
                                                   : "",
                                     f);
                r = table_cell_end(table);
        }
        return r;
}

/* The steps of a module, and its command. */
static int add_group(const Output *out, Table *table, const Explanation *q, size_t first, size_t end) {
        const TraceStep *winner = trace_winner(&q->trace, first, end);
        int r = 0;

        for (size_t i = first; r >= 0 && i < end; i++)
                r = add_row(out, table, q, i, first, winner);
        return r < 0 ? r : add_command_row(table, q->plan, q->trace.items[first].module);
}

/* A dependency about which nobody has said anything, and which has no command: there is nothing to see of it. */
static bool comes_along(const Explanation *q, size_t first, size_t end) {
        const TraceStep *m = q->trace.items + first;

        return end == first + 1 && m->part == POLICY_DEPENDENCY && is_default_of_nobody(m) &&
               !find_command(q->plan, m->module);
}

/* "14 dependencies come with what is allowed: drm, ttm"; nothing if each has a row. */
static void print_along(const Explanation *q, size_t n) {
        bool any = false;

        if (n == 0)
                return;
        printf("  %zu dependenc%s with what is allowed: ", n, n == 1 ? "y comes" : "ies come");
        for (size_t i = 0, end; i < q->trace.n_items; i = end) {
                end = trace_group_end(&q->trace, i);
                if (!comes_along(q, i, end))
                        continue;
                printf("%s", any ? ", " : "");
                print_escaped(stdout, q->trace.items[i].module);
                any = true;
        }
        putchar('\n');
}

/**
 * explain_print_trace() - the rules that were checked, those of each module together
 *
 * What only comes along is on one line below them, unless the answer is to be full.
 *
 * Return: 0; negative errno.
 */
int explain_print_trace(const Output *out, const Explanation *q) {
        static const Column columns[] = {
                { "MODULE" },
                { "VERDICT" },
                { "BY", .wrap = true, .whole = true },
                { "PLACE", .wrap = true, .whole = true },
                { "HOW", .wrap = true, .shorten = 24 },
        };
        _cleanup_(table_freep) Table *table = NULL;
        size_t n_along = 0, n_shown = 0;
        int r;

        if (q->trace.n_items == 0)
                return 0;
        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        for (size_t i = 0, end; r >= 0 && i < q->trace.n_items; i = end) {
                end = trace_group_end(&q->trace, i);
                if (!out->full && comes_along(q, i, end)) {
                        n_along++;
                        continue;
                }
                r = add_group(out, table, q, i, end);
                n_shown++;
        }
        if (r < 0)
                return r;
        putchar('\n');
        if (n_shown > 0)
                r = table_print(table);
        print_along(q, n_along);
        return r;
}
