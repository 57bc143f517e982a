/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LintConfig: lines of modprobe.d and of the kernel command line that do not do what they look like. */

#include "cli/offline/lint-config.h"

#include <assert.h>

#include "cli/offline/explanation.h"
#include "common/base/glob.h"
#include "common/modprobe/deny-command.h"
#include "common/plan/plan-builder.h"
#include "common/plan/plan.h"

static Finding finding_of(const ConfigEntry *e, const char *kind, const char *instead) {
        return (Finding) { kind, e->file, e->line, 0, instead };
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
        Finding finding = finding_of(e, "overruled", "remove the line, or the rule");
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

static int lint_install(Lint *l, const ConfigEntry *e) {
        ShownNames overlooked = {};
        int r;

        if (!command_is_denial(e->value ?: ""))
                return 0;
        for (size_t i = 0; i < index_count_modules(l->index); i++) {
                const IndexModule *m = index_get_module(l->index, i);
                PolicySubject subject = {
                        .part = POLICY_REQUESTED, .module = m->name, .path = m->path, .install = e
                };
                PolicyRuling by;

                if (!m->path || !glob_match(e->name, m->name) ||
                    modprobe_config_find_command(index_get_config(l->index), CONFIG_INSTALL, m->name) != e)
                        continue;
                if (is_overruled(l, &subject, &by)) {
                        r = report_overruled(l, e, m->name, &by);
                        if (r < 0)
                                return r;
                }
                r = modprobe_overlooks(l, m->name);
                if (r < 0)
                        return r;
                if (r > 0)
                        shown_names_add(&overlooked, m->name);
        }

        if (overlooked.n > 0) {
                Finding finding = finding_of(
                        e, "install_overlooked",
                        "a rule with verdict: deny in policy.d says it to lkmd by name; "
                        "for modprobe, remove the softdep");
                char names[256];

                shown_names_print(&overlooked, names, sizeof(names));
                return lint_report(
                        l, &finding, "modprobe overlooks this line for %s, which has a softdep; lkmd %s",
                        names, l->offline->compat_kmod ? "does so too, with Compat=kmod" : "keeps to it");
        }
        return 0;
}

/* --------------------------------------------------------------------------------------------- blacklist */

static bool needs(const IndexModule *m, const IndexModule *dependency) {
        for (size_t i = 0; i < m->n_dependencies; i++)
                if (m->dependencies[i] == dependency)
                        return true;
        return false;
}

static int lint_needed(Lint *l, const ConfigEntry *e, const IndexModule *module) {
        Finding finding = finding_of(
                e, "blacklist_of_dependency",
                "a rule with verdict: deny in policy.d, or Blacklist=deny in lkmd.conf");
        ShownNames dependants = {};
        char names[256];

        for (size_t i = 0; i < index_count_modules(l->index); i++) {
                const IndexModule *m = index_get_module(l->index, i);

                if (m != module && needs(m, module))
                        shown_names_add(&dependants, m->name);
        }
        if (dependants.n == 0 || l->offline->blacklist_denies)
                return 0;
        shown_names_print(&dependants, names, sizeof(names));
        return lint_report(l, &finding, "a blacklist line does not keep %s out when something needs it: %s",
                         e->name, names);
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

        if (e->dashed) {
                Finding finding = finding_of(e, "dash_on_command_line", "the name with '_' in place of '-'");

                r = lint_report(
                        l, &finding,
                        "modprobe does not see this blacklisting of %s, since it is written with '-'; "
                        "lkmd %s",
                        e->name, l->offline->compat_kmod ? "neither, with Compat=kmod" : "does");
                if (r < 0)
                        return r;
        }
        if (m && !m->path) {
                Finding finding = finding_of(
                        e, "built_in",
                        "initcall_blacklist=FUNCTION on the kernel command line, with its init function");

                return lint_report(l, &finding,
                                 "no blacklist line keeps out what is built into the kernel: %s", e->name);
        }
        if (m && is_overruled(l, &subject, &by)) {
                r = report_overruled(l, e, e->name, &by);
                if (r < 0)
                        return r;
        }
        return m ? lint_needed(l, e, m) : 0;
}

int lint_config(Lint *l) {
        static const ConfigKind kinds[] = { CONFIG_INSTALL, CONFIG_BLACKLIST };
        int r = 0;

        assert(l);

        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
                const ConfigEntry *entries;
                size_t n;

                entries = modprobe_config_entries(index_get_config(l->index), kinds[k], &n);
                for (size_t i = 0; r >= 0 && i < n; i++)
                        r = kinds[k] == CONFIG_INSTALL ? lint_install(l, entries + i)
                                                       : lint_blacklist(l, entries + i);
        }
        return r;
}
