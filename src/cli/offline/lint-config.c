/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LintConfig: lines of modprobe.d and of the kernel command line that are to keep modules out, and do not do it as
 * they look like.
 */

#include "cli/offline/lint-config.h"

#include <assert.h>

#include "cli/offline/explanation.h"
#include "cli/offline/lint-commands.h"
#include "cli/offline/lint-names.h"
#include "common/base/glob.h"
#include "common/index/index-lookup.h"
#include "common/modprobe/deny-command.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan.h"

static Finding finding_of(const ConfigEntry *e, FindingKind kind, const char *instead) {
        return (Finding) { kind, e->file, e->line, 0, instead, e->name };
}

/* Would modprobe insert the module in spite of its install line? Return: 1, 0, -ENOMEM. */
static int modprobe_overlooks(const Lint *l, const char *module) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = plan_new(&plan, l->index,
                     &(PlanRequest) { .key = module, .mode = PLAN_NAMED, .compat_kmod = true });
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; i < plan->n_steps; i++)
                if (streq(plan->steps[i].module, module))
                        return plan->steps[i].action == PLAN_INSERT;
        return 0;
}

/* Does something before the entry allow the module? Then @ret is what does. */
static bool is_overruled(const Lint *l, PolicySubject *subject, PolicyRuling *ret) {
        PolicyDecision decision;

        policy_judge(l->offline->policy, subject, l->offline->now_usec, &decision, NULL, NULL);
        *ret = decision.actual;
        return decision.actual.rule && decision.actual.verdict != POLICY_DENY;
}

static int report_overruled(Lint *l, const ConfigEntry *e, const char *module, const PolicyRuling *by) {
        Finding finding = finding_of(e, FINDING_OVERRULED, "remove the line, or the rule");
        _cleanup_(freep) char *rule = NULL;
        size_t size;
        FILE *f = open_memstream(&rule, &size);

        if (!f)
                return -ENOMEM;
        print_ruling_name(f, by);
        if (by->file) {
                (void) fputs(" at ", f);
                print_ruling_place(f, by);
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        return lint_report(l, &finding, "this line has no effect on %s: the %s allows it before", module,
                         rule);
}

/* ----------------------------------------------------------------------------------------------- install */

/* Of several lines for a module, the first one counts, whatever its pattern. */
static int lint_earlier(Lint *l, const ConfigEntry *e) {
        const ConfigEntry *first = modprobe_config_find_command(index_get_config(l->index), e->kind,
                                                                e->name);
        Finding finding = finding_of(e, FINDING_ONLY_FIRST_COUNTS, "one line, in one file");

        if (!first || first == e || strpbrk(e->name, "*?[") || streq(first->value, e->value) ||
            (command_is_denial(first->value) && command_is_denial(e->value)))
                return 0;
        return lint_report(l, &finding,
                           "this line has no effect: the first line for %s counts, which is %s:%u", e->name,
                           first->file, first->line);
}

/* What a line with a pattern comes to. */
typedef struct InstallReach {
        ShownNames overlooked;          /* modprobe inserts them in spite of it */
        ShownNames builtin;
        size_t n_loadable;
} InstallReach;

static int reach_module(Lint *l, const ConfigEntry *e, const IndexModule *m, bool denies,
                        InstallReach *reach) {
        PolicySubject subject = {
                .part = POLICY_REQUESTED, .module = m->name, .path = m->path, .install = e
        };
        PolicyRuling by;
        int r;

        if (!m->path) {
                shown_names_add(&reach->builtin, m->name);
                return 0;
        }
        reach->n_loadable++;
        if (denies && is_overruled(l, &subject, &by)) {
                r = report_overruled(l, e, m->name, &by);
                if (r < 0)
                        return r;
        }
        r = modprobe_overlooks(l, m->name);
        if (r > 0)
                shown_names_add(&reach->overlooked, m->name);
        return r < 0 ? r : 0;
}

static int report_overlooked(Lint *l, const ConfigEntry *e, bool denies, const ShownNames *overlooked) {
        Finding finding = finding_of(
                e, FINDING_INSTALL_OVERLOOKED,
                denies ? "a rule with verdict: deny in policy.d, which lkmd holds on every path"
                       : "a unit or a udev rule that runs the command");
        const char *lkmd = l->offline->compat_kmod ? "does so too, with Compat=kmod"
                           : denies                ? "keeps to it"
                                                   : "runs the command";
        char names[256];

        shown_names_print(overlooked, names, sizeof(names));
        return lint_report(l, &finding, "modprobe overlooks this line for %s, which has a softdep; lkmd %s",
                           names, lkmd);
}

static int lint_install(Lint *l, const ConfigEntry *e) {
        bool denies = command_is_denial(e->value ?: "");
        InstallReach reach = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < index_count_modules(l->index); i++) {
                const IndexModule *m = index_get_module(l->index, i);

                if (glob_match(e->name, m->name) &&
                    modprobe_config_find_command(index_get_config(l->index), CONFIG_INSTALL, m->name) == e)
                        r = reach_module(l, e, m, denies, &reach);
        }
        if (r >= 0)
                r = lint_earlier(l, e);
        if (r < 0)
                return r;
        if (reach.n_loadable == 0 && reach.builtin.n > 0)
                return lint_built_in(l, e, &reach.builtin,
                                     denies ? "no install line keeps out" : "no install line is run for");
        if (reach.n_loadable == 0)
                return lint_misspelt(l, e, e->name);
        return reach.overlooked.n > 0 && !command_only_loads(e->value ?: "")
                       ? report_overlooked(l, e, denies, &reach.overlooked)
                       : 0;
}

/* --------------------------------------------------------------------------------------------- blacklist */

static bool needs(const IndexModule *m, const IndexModule *dependency) {
        for (size_t i = 0; i < m->n_dependencies; i++)
                if (m->dependencies[i] == dependency)
                        return true;
        return false;
}

/* Does another line keep it out? A blacklist line of its own does for what asks by an alias, as devices do. */
static bool is_kept_out(const Lint *l, const char *module, bool by_blacklist) {
        const ModprobeConfig *config = index_get_config(l->index);
        const ConfigEntry *install = modprobe_config_find_command(config, CONFIG_INSTALL, module);

        return (install && command_is_denial(install->value)) ||
               (by_blacklist && modprobe_config_is_blacklisted(config, module, NULL));
}

static int lint_needed(Lint *l, const ConfigEntry *e, const IndexModule *module) {
        Finding finding = finding_of(
                e, FINDING_BLACKLIST_OF_DEPENDENCY,
                "a rule with verdict: deny in policy.d, or Blacklist=deny in lkmd.conf");
        ShownNames dependants = {};
        char names[256];

        if (is_kept_out(l, e->name, /* by_blacklist= */ false))
                return 0;
        for (size_t i = 0; i < index_count_modules(l->index); i++) {
                const IndexModule *m = index_get_module(l->index, i);

                if (m != module && needs(m, module) && !is_kept_out(l, m->name, /* by_blacklist= */ true))
                        shown_names_add(&dependants, m->name);
        }
        if (dependants.n == 0 || l->offline->blacklist_denies)
                return 0;
        shown_names_print(&dependants, names, sizeof(names));
        return lint_report(l, &finding, "a blacklist line does not keep %s out when something needs it: %s",
                         e->name, names);
}

/* The modules that an alias means, by name, without those that are built in. Return: 0; -ENOMEM. */
static int find_meant(const Lint *l, const char *alias, ShownNames *modules, ShownNames *builtin) {
        _cleanup_(index_answer_clear) IndexAnswer answer = {};
        int r;

        r = index_lookup(l->index, alias, &answer);
        for (size_t i = 0; r >= 0 && i < answer.n_matches; i++) {
                const IndexModule *m = answer.matches[i].module;

                if (m)
                        shown_names_add(m->path ? modules : builtin, m->name);
        }
        return r == -ENOMEM ? r : 0;
}

static int report_alias(Lint *l, const ConfigEntry *e, const ShownNames *modules) {
        bool on_command_line = e->line == 0;
        Finding finding = finding_of(e, FINDING_BLACKLIST_OF_ALIAS, NULL);
        _cleanup_(freep) char *instead = NULL;
        char names[256];
        int n;

        shown_names_print(modules, names, sizeof(names));
        if (on_command_line)
                n = asprintf(&instead, "%s in its place, which then is kept out for its other aliases, too",
                             names);
        else
                n = asprintf(
                        &instead,
                        "alias %s off, for this alias alone; or a blacklist line for %s, which holds for all aliases "
                        "of it",
                        e->name, names);
        if (n < 0) {
                instead = NULL;
                return -ENOMEM;
        }
        finding.instead = instead;
        return lint_report(
                l, &finding,
                "this keeps nothing out: '%s' is not a module but an alias of %s, and only names of "
                "modules are compared with it",
                e->name, names);
}

/* A name that is no module's. */
static int lint_blacklisted_name(Lint *l, const ConfigEntry *e) {
        ShownNames modules = {}, builtin = {};
        int r;

        r = find_meant(l, e->name, &modules, &builtin);
        if (r < 0)
                return r;
        if (modules.n > 0)
                return report_alias(l, e, &modules);
        return builtin.n > 0 ? lint_built_in(l, e, &builtin, "no blacklist line keeps out")
                             : lint_misspelt(l, e, e->name);
}

static int lint_blacklist(Lint *l, const ConfigEntry *e) {
        const IndexModule *m = index_find_module(l->index, e->name);
        bool on_command_line = e->line == 0;
        PolicySubject subject = {
                .part = POLICY_REQUESTED,
                .module = e->name,
                .path = m ? m->path : NULL,
                .blacklist = on_command_line ? NULL : e,
                .command_line_blacklist = on_command_line ? e : NULL,
        };
        PolicyRuling by;
        int r;

        if (!m)
                return lint_blacklisted_name(l, e);
        if (!m->path) {
                ShownNames builtin = {};

                shown_names_add(&builtin, m->name);
                return lint_built_in(l, e, &builtin, "no blacklist line keeps out");
        }
        if (is_overruled(l, &subject, &by)) {
                r = report_overruled(l, e, e->name, &by);
                if (r < 0)
                        return r;
        }
        return lint_needed(l, e, m);
}

int lint_config(Lint *l) {
        int r = lint_each_entry(l, CONFIG_INSTALL, lint_install);

        return r < 0 ? r : lint_each_entry(l, CONFIG_BLACKLIST, lint_blacklist);
}
