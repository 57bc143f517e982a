/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PlanPrint: a plan as text, its steps as a tree and what it leaves out. Owns nothing. */

#include "cli/offline/plan-print.h"

#include "cli/print/format.h"
#include "cli/print/table.h"
#include "cli/print/reply-text.h"
#include "common/explain/omission-text.h"
#include "common/plan/plan-json.h"

static void write_module(FILE *f, const PlanStep *step) {
        print_escaped(f, step->module);
}

/* An omission says why. */
static void write_failure(FILE *f, const Plan *plan, const PlanStep *step) {
        bool waits = false;

        for (size_t i = 0; i < step->n_after; i++)
                waits |= step->after[i].required && plan->steps[step->after[i].step].fails;
        (void) fputs(waits ? "nothing, what it needs fails" : "insert, which fails", f);
}

static void write_action(FILE *f, const PlanStep *step) {
        switch (step->action) {
        case PLAN_BUILTIN:
                (void) fputs("nothing, it is built in", f);
                break;
        case PLAN_COMMAND:
                (void) fputs("run: ", f);
                print_escaped(f, step->command);
                break;
        default:
                (void) fputs("insert", f);
                if (step->kernel_name) {
                        (void) fputs(", which the kernel calls ", f);
                        print_escaped(f, step->kernel_name);
                }
                if (step->unknown != 0)
                        fprintf(f, ", if its file is sound, which is not known here: %s",
                                module_fault_unknown_text(step->unknown));
                break;
        }
}

static void write_reason(FILE *f, const PlanStep *step) {
        static const char *const words[_PLAN_REASON_MAX] = {
                [PLAN_REQUESTED] = "requested",
                [PLAN_DEPENDENCY] = "needed",
                [PLAN_SOFTDEP_PRE] = "wanted before",
                [PLAN_SOFTDEP_POST] = "wanted after",
        };

        (void) fputs(words[step->reason], f);
        if (step->alias) {
                (void) fputs(" as ", f);
                print_escaped(f, step->alias);
        }
}

/* Each assignment with the place of the line that it comes from. */
static void write_parameters(FILE *f, const PlanStep *step) {
        for (size_t i = 0; i < step->n_parameter_origins; i++) {
                const PlanParameter *p = step->parameter_origins + i;

                if (i > 0)
                        (void) fputs(", ", f);
                print_escaped(f, p->text);
                if (!p->file)
                        continue;
                (void) fputs(" (", f);
                print_escaped(f, p->file);
                if (p->line > 0)
                        fprintf(f, ":%u", p->line);
                (void) fputc(')', f);
        }
}

static int print_step(Table *table, const Plan *plan, size_t i, const size_t *rows) {
        static void (*const writers[])(FILE *f, const PlanStep *step) = {
                write_module, write_reason, write_action, write_parameters,
        };
        const PlanStep *step = plan->steps + i;
        FILE *f;
        int r;

        r = step->parent == SIZE_MAX ? table_line(table) : table_line_below(table, rows[step->parent]);
        if (r < 0)
                return r;
        for (size_t k = 0; k < ARRAY_LEN(writers); k++) {
                f = table_cell(table);
                if (f && step->fails && writers[k] == write_action)
                        write_failure(f, plan, step);
                else if (f)
                        writers[k](f, step);
                r = table_cell_end(table);
                if (r < 0)
                        return r;
        }

        f = table_cell(table);
        if (f)
                fprintf(f, "%zu", i + 1);
        return table_cell_end(table);
}

/* In a plan a parent comes after its dependencies, in a tree above them: from each root downwards. */
static int print_below(Table *table, const Plan *plan, size_t parent, size_t *rows, size_t *n_rows) {
        for (size_t i = 0; i < plan->n_steps; i++) {
                int r;

                if (plan->steps[i].parent != parent)
                        continue;
                r = print_step(table, plan, i, rows);
                if (r < 0)
                        return r;
                rows[i] = (*n_rows)++;
                r = print_below(table, plan, i, rows, n_rows); /* as deep as the longest chain of modules */
                if (r < 0)
                        return r;
        }
        return 0;
}

static int print_tree(const Output *out, const Plan *plan) {
        static const Column columns[] = {
                { "MODULE", .tree = true },
                { "WHY", .wrap = true },
                { "WHAT", .wrap = true },
                { "PARAMETERS", .wrap = true, .whole = true },
                { "ORDER", .right = true },
        };
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_(freep) size_t *rows = NULL;
        size_t n_rows = 0;
        int r;

        if (plan->n_steps == 0)
                return 0;
        rows = calloc(plan->n_steps, sizeof(*rows));
        if (!rows)
                return -ENOMEM;
        r = table_new(&table, out, columns, ARRAY_LEN(columns));
        if (r < 0)
                return r;
        r = print_below(table, plan, SIZE_MAX, rows, &n_rows);
        if (r < 0)
                return r;
        return table_print(table);
}

static bool is_left_out(const Plan *plan, const PlanOmission *o) {
        for (size_t i = 0; i < plan->n_omissions; i++)
                if (plan->omissions[i].kind == o->kind && streq(plan->omissions[i].module, o->module))
                        return true;
        return false;
}

/* @known: a plan whose omissions have been printed; NULL: none */
static int print_omissions(const Plan *plan, const Plan *known, const char *words) {
        for (size_t i = 0; i < plan->n_omissions; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
                int r;

                if (known && is_left_out(known, plan->omissions + i))
                        continue;
                r = plan_omission_to_json(plan->omissions + i, &v);
                if (r < 0)
                        return r;
                print_escaped(stdout, plan->omissions[i].module);
                printf("  %s: ", words);
                print_omission(stdout, v);
                putchar('\n');
        }
        return 0;
}

/* The steps as a tree, then what was left out. */
int plan_print(const Output *out, const Plan *plan) {
        int r;

        r = print_tree(out, plan);
        return r < 0 ? r : print_omissions(plan, NULL, "left out");
}

/* What @enforced, the same plan as if nothing were in audit mode, leaves out beside what @plan does. */
int plan_print_audited(const Plan *plan, const Plan *enforced) {
        return print_omissions(enforced, plan, "would be left out, but that is in audit mode");
}

/* What the exit status of "load" would be, as far as the plan shows. */
ExitStatus plan_status(const Plan *plan) {
        const PlanOmission *obstacle = plan_find_obstacle(plan);

        return !obstacle ? STATUS_DONE : omission_is_refusal(obstacle) ? STATUS_DENIED : STATUS_FAILED;
}
