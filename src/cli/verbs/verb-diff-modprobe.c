/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * diff-modprobe: where loading a module would have another result than with modprobe. It makes two plans of
 * each module, one by lkmd's rules and one by kmod's, and shows each difference with the line of
 * configuration that causes it. What merely follows from a difference (what a softdep's module needs in
 * turn) is left out.
 */

#include <assert.h>

#include "cli/offline/offline.h"
#include "cli/print/format.h"
#include "cli/verbs/verbs.h"
#include "common/base/text.h"
#include "common/index/index-lookup.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan.h"

typedef enum DifferenceKind {
        DIFFERENCE_DENIED,              /* lkmd keeps it out, modprobe overlooks the install line */
        DIFFERENCE_IMPOSSIBLE,          /* it needs one that is denied like that */
        DIFFERENCE_COMMAND,             /* lkmd runs its install command, modprobe overlooks it */
        DIFFERENCE_SOFTDEP,             /* lkmd takes more softdep lines */
        DIFFERENCE_BLACKLISTED,         /* lkmd sees a blacklisted name with a '-' */
        DIFFERENCE_FILE,                /* lkmd-loader refuses the file */
        _DIFFERENCE_MAX,
} DifferenceKind;

typedef struct Difference {
        DifferenceKind kind;
        const char *module;             /* whose plan it is in */
        const char *subject;            /* what is treated differently: that module, or one that comes along */
        const char *other;              /* the module that the subject needs, or that wants it */
        bool post;                      /* DIFFERENCE_SOFTDEP: after the other */
        const ConfigEntry *line;        /* NULL: none */
        const char *fault;              /* DIFFERENCE_FILE */
} Difference;

typedef struct Comparison {
        Run *run;
        const Index *index;
        FileFacts *files;
        size_t n_modules, n_differences;
} Comparison;

static const char *const kind_names[_DIFFERENCE_MAX] = {
        [DIFFERENCE_DENIED] = "denied",
        [DIFFERENCE_IMPOSSIBLE] = "impossible",
        [DIFFERENCE_COMMAND] = "command",
        [DIFFERENCE_SOFTDEP] = "softdep",
        [DIFFERENCE_BLACKLISTED] = "blacklisted",
        [DIFFERENCE_FILE] = "file",
};

/* -------------------------------------------------------------------------------------------- printing */

/* "/etc/modprobe.d/x.conf:3: install ksmbd /bin/false" */
static void write_line(FILE *f, const ConfigEntry *line) {
        print_escaped(f, line->file);
        if (line->line > 0)
                fprintf(f, ":%u", line->line);
        fprintf(f, ": %s ", config_kind_to_string(line->kind));
        print_escaped(f, line->name);
        if (line->value) {
                (void) fputc(' ', f);
                print_escaped(f, line->value + strspn(line->value, " \t"));
        }
}

static void write_reason(FILE *f, const Difference *d) {
        const char *subject = streq(d->module, d->subject) ? "it" : d->subject;

        switch (d->kind) {
        case DIFFERENCE_DENIED:
                fprintf(f, "lkmd denies %s (", subject);
                write_line(f, d->line);
                (void) fputs("); modprobe loads it, since it has a softdep", f);
                break;
        case DIFFERENCE_IMPOSSIBLE:
                fprintf(f, "lkmd leaves %s out, since it needs %s, which is denied (", subject, d->other);
                write_line(f, d->line);
                fprintf(f, "); modprobe loads it, since %s has a softdep", d->other);
                break;
        case DIFFERENCE_COMMAND:
                fprintf(f, "lkmd runs the command of %s (", subject);
                write_line(f, d->line);
                (void) fputs("); modprobe loads the module itself, since it has a softdep", f);
                break;
        case DIFFERENCE_SOFTDEP:
                fprintf(f, "lkmd loads %s %s %s (", d->subject, d->post ? "after" : "before", d->other);
                write_line(f, d->line);
                fprintf(f, "); modprobe does not, it takes the first softdep line of %s only", d->other);
                break;
        case DIFFERENCE_BLACKLISTED:
                fprintf(f, "lkmd leaves %s out when a device asks for it (", subject);
                write_line(f, d->line);
                (void) fputs("); modprobe does not see the line, since the name is written with '-' there", f);
                break;
        case DIFFERENCE_FILE:
                fprintf(f, "lkmd cannot load %s: %s; modprobe loads it", subject, d->fault);
                break;
        default:
                assert(false);
        }
}

static int report_json(Run *run, const Difference *d, const char *reason) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;
        _cleanup_(freep) char *file = NULL;
        int r;

        r = text_escape(d->line ? d->line->file : "", &file);
        if (r < 0)
                return r;
        r = sd_json_buildo(
                &v, SD_JSON_BUILD_PAIR_STRING("module", d->module),
                SD_JSON_BUILD_PAIR_STRING("difference", kind_names[d->kind]),
                SD_JSON_BUILD_PAIR_STRING("subject", d->subject),
                SD_JSON_BUILD_PAIR_STRING("reason", reason),
                SD_JSON_BUILD_PAIR_CONDITION(d->line != NULL, "file", SD_JSON_BUILD_STRING(file)),
                SD_JSON_BUILD_PAIR_CONDITION(d->line && d->line->line > 0, "line",
                                             SD_JSON_BUILD_UNSIGNED(d->line ? d->line->line : 0)));
        if (r < 0)
                return r;
        return output_json(&run->out, v);
}

static int report(Comparison *c, const Difference *d) {
        _cleanup_(freep) char *reason = NULL;
        size_t size;
        FILE *f;

        c->n_differences++;
        f = open_memstream(&reason, &size);
        if (!f)
                return -ENOMEM;
        write_reason(f, d);
        if (fclose(f) != 0)
                return -ENOMEM;

        if (c->run->out.json != JSON_OFF)
                return report_json(c->run, d, reason);
        if (!c->run->out.quiet)
                printf("%s: %s\n", d->module, reason);
        return 0;
}

/* ------------------------------------------------------------------------------------------- comparing */

static const PlanStep *find_step(const Plan *plan, const char *module) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (streq(plan->steps[i].module, module))
                        return plan->steps + i;
        return NULL;
}

static const ConfigEntry *install_line(const Comparison *c, const char *module) {
        return modprobe_config_find_command(index_get_config(c->index), CONFIG_INSTALL, module);
}

/*
 * The line that denies a module which kmod loads nevertheless. Where kmod runs the line, it does not load it
 * either.
 */
static const ConfigEntry *overlooked_deny(const Comparison *c, const Plan *theirs, const PlanOmission *o) {
        const PlanStep *step = find_step(theirs, o->module);

        return o->kind == PLAN_DENIED && step && step->action == PLAN_INSERT ? install_line(c, o->module) : NULL;
}

/* What lkmd-loader refuses: whoever needs it is left out, too, which merely follows. */
static int compare_file(Comparison *c, const char *module, const Plan *theirs, const PlanOmission *o) {
        const PlanStep *step = find_step(theirs, o->module);

        if (o->kind != PLAN_FILE_UNUSABLE || !step || step->fails || step->action != PLAN_INSERT)
                return 0;
        return report(c, &(Difference) { DIFFERENCE_FILE, module, o->module, .fault = o->ruling.reason });
}

static int compare_omissions(Comparison *c, const char *module, const Plan *ours, const Plan *theirs) {
        for (size_t i = 0; i < ours->n_omissions; i++) {
                const PlanOmission *o = ours->omissions + i;
                const ConfigEntry *line = overlooked_deny(c, theirs, o);
                int r;

                r = compare_file(c, module, theirs, o);
                if (r < 0)
                        return r;
                if (!line)
                        continue;
                r = report(c, &(Difference) { DIFFERENCE_DENIED, module, o->module, .line = line });
                if (r < 0)
                        return r;
                if (!streq(o->module, module) && ours->n_steps == 0 &&
                    o->wanted_by) { /* which keeps out the module itself */
                        r = report(c, &(Difference) { DIFFERENCE_IMPOSSIBLE, module, module, o->module,
                                                      .line = line });
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static bool softdep_means(const Index *index, const char *key, const char *module) {
        _cleanup_(index_answer_clear) IndexAnswer answer = {};

        if (index_lookup(index, key, &answer) < 0)
                return false;
        for (size_t i = 0; i < answer.n_matches; i++)
                if (streq(answer.matches[i].name, module))
                        return true;
        return false;
}

static int compare_softdep(Comparison *c, const char *module, const PlanStep *step, const char *wanted_by) {
        bool post = step->reason == PLAN_SOFTDEP_POST;
        _cleanup_(freep) IndexSoftdep *softdeps = NULL;
        size_t n;
        int r;

        r = index_softdeps(c->index, wanted_by, &softdeps, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (softdeps[i].post == post && softdep_means(c->index, softdeps[i].key, step->module))
                        return report(c, &(Difference) { DIFFERENCE_SOFTDEP, module, step->module, wanted_by,
                                                         post, softdeps[i].config });
        return 0;
}

static int compare_steps(Comparison *c, const char *module, const Plan *ours, const Plan *theirs) {
        for (size_t i = 0; i < ours->n_steps; i++) {
                const PlanStep *step = ours->steps + i, *their = find_step(theirs, step->module);
                bool softdep = step->reason == PLAN_SOFTDEP_PRE || step->reason == PLAN_SOFTDEP_POST;
                const char *parent = step->parent == SIZE_MAX ? NULL : ours->steps[step->parent].module;
                int r = 0;

                if (!their && softdep && parent && find_step(theirs, parent))
                        r = compare_softdep(c, module, step, parent);
                else if (their && step->action == PLAN_COMMAND && their->action == PLAN_INSERT)
                        r = report(c, &(Difference) { DIFFERENCE_COMMAND, module, step->module,
                                                      .line = install_line(c, step->module) });
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A blacklist line counts only when a device asks, by an alias: that takes another plan for both. */
static int compare_blacklists(Comparison *c, const char *module) {
        _cleanup_(plan_freep) Plan *theirs = NULL;
        const ConfigEntry *line;
        int r;

        if (!modprobe_config_is_blacklisted(index_get_config(c->index), module, &line))
                return 0;
        r = plan_new(&theirs, c->index, &(PlanRequest) { .key = module, .mode = PLAN_AUTOLOAD, .compat_kmod = true });
        if (r < 0)
                return r;
        for (size_t i = 0; i < theirs->n_omissions; i++)
                if (theirs->omissions[i].kind == PLAN_BLACKLISTED)
                        return 0;
        return report(c, &(Difference) { DIFFERENCE_BLACKLISTED, module, module, .line = line });
}

static int compare(Comparison *c, const IndexModule *module) {
        _cleanup_(plan_freep) Plan *ours = NULL, *theirs = NULL;
        int r;

        c->n_modules++;
        if (!module->path)
                return 0;
        r = plan_new(
                &ours, c->index,
                &(PlanRequest) {
                        .key = module->name, .mode = PLAN_NAMED, .files = c->files, .finds_faults = true });
        if (r < 0)
                return r;
        r = plan_new(&theirs, c->index,
                     &(PlanRequest) { .key = module->name,
                                      .mode = PLAN_NAMED,
                                      .compat_kmod = true,
                                      .files = c->files,
                                      .by_modprobe = true,
                                      .finds_faults = true });
        if (r < 0)
                return r;
        r = compare_omissions(c, module->name, ours, theirs);
        if (r < 0)
                return r;
        r = compare_steps(c, module->name, ours, theirs);
        if (r < 0)
                return r;
        return compare_blacklists(c, module->name);
}

/* --------------------------------------------------------------------------------------------- the verb */

static int by_name(const void *a, const void *b) {
        return strcmp((*(const IndexModule *const *) a)->name, (*(const IndexModule *const *) b)->name);
}

static int compare_all(Comparison *c) {
        _cleanup_(freep) const IndexModule **modules = NULL;
        size_t n = index_count_modules(c->index);
        int r;

        modules = calloc(MAX(n, (size_t) 1), sizeof(*modules));
        if (!modules)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                modules[i] = index_get_module(c->index, i);
        qsort(modules, n, sizeof(*modules), by_name);

        for (size_t i = 0; i < n; i++) {
                r = compare(c, modules[i]);
                if (r < 0)
                        return r;
        }
        return STATUS_DONE;
}

static int compare_some(Comparison *c, char **names, unsigned n) {
        ExitStatus worst = STATUS_DONE;

        for (unsigned i = 0; i < n; i++) {
                const IndexModule *module = index_find_module(c->index, names[i]);
                int r;

                r = module ? compare(c, module) : (int) report_no_such_module(c->run, c->index, names[i]);
                if (r < 0)
                        return r;
                worst = failure_worse(worst, (ExitStatus) r);
        }
        return (int) worst;
}

int verb_diff_modprobe(Run *run, char **args, unsigned n_args) {
        _cleanup_(file_facts_freep) FileFacts *files = NULL;
        _cleanup_(index_unrefp) const Index *index = NULL;
        Comparison c = { .run = run };
        int r, result;

        if (run->all && n_args > 0)
                return failure_print_own(&run->out, CLIENT_ERROR_USAGE, "lkmctl help diff-modprobe",
                                         "--all means all modules: give it or names, not both");
        r = offline_index(run, true, &index);
        if (r != 0)
                return r;
        r = file_facts_new(&files);
        if (r < 0)
                return r;
        c.index = index;
        c.files = files;

        output_list_begin(&run->out);
        result = n_args > 0 ? compare_some(&c, args, n_args) : compare_all(&c);
        if (result < 0)
                return result;
        r = output_list_end(&run->out);
        if (r < 0)
                return r;
        if (output_wants_text(&run->out) && c.n_differences == 0 && c.n_modules > 0) {
                if (c.n_modules == 1)
                        printf("No difference: modprobe would do the same.\n");
                else
                        printf("No difference in %zu modules: modprobe would do the same.\n", c.n_modules);
        }
        r = output_flush();
        return r < 0 ? r : result;
}
