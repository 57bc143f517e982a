/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rules of lkmd and those of kmod 34, by compat_kmod of the request. Owns nothing.
 */

#include "common/plan-rules.h"

#include <assert.h>

#include "common/deny-command.h"
#include "common/glob.h"

/**
 * plan_rules_find_blacklist() - the line that blacklists a module
 *
 * For kmod a name with '-' on the kernel command line is the name of nothing.
 *
 * Return: NULL if there is none.
 */
const ConfigEntry *plan_rules_find_blacklist(const PlanGraph *g, const char *module) {
        const ModprobeConfig *config = index_get_config(g->index);
        const ConfigEntry *e;
        size_t n;

        if (!modprobe_config_is_blacklisted(config, module, &e))
                return NULL;
        if (!g->request->compat_kmod)
                return e;

        e = modprobe_config_entries(config, CONFIG_BLACKLIST, &n);
        for (size_t i = 0; i < n; i++)
                if (!e[i].dashed && streq(e[i].name, module))
                        return &e[i];
        return NULL;
}

/* kmod takes the first line that matches the module, with nothing in it too (kmod issue 33). */
static const ConfigEntry *find_first_softdep_line(const PlanGraph *g, const char *module) {
        const ConfigEntry *e;
        size_t n;

        e = modprobe_config_entries(index_get_config(g->index), CONFIG_SOFTDEP, &n);
        for (size_t i = 0; i < n; i++)
                if (glob_match(e[i].name, module))
                        return &e[i];
        return NULL;
}

/**
 * plan_rules_get_softdeps() - what is to go before and after a module
 *
 * Return: as index_softdeps().
 */
int plan_rules_get_softdeps(const PlanGraph *g, const char *module, const IndexSoftdep **ret,
                            size_t *ret_n) {
        const IndexSoftdep *softdeps;
        const ConfigEntry *line;
        size_t n, first = 0, last;
        int r;

        r = index_softdeps(g->index, module, &softdeps, &n);
        if (r < 0)
                return r;

        last = n;
        if (g->request->compat_kmod) {
                line = find_first_softdep_line(g, module);
                while (first < n && softdeps[first].config != line)
                        first++;
                for (last = first; last < n && softdeps[last].config == line;)
                        last++;
        }

        *ret = softdeps + first;
        *ret_n = last - first;
        return 0;
}

/**
 * plan_rules_settle_command() - find out whether a node's install line takes its place
 *
 * It does not for kmod if a softdep of the module means anything (libkmod 34, __kmod_module_fill_softdep()).
 * Asks the index: no answer of it may be in use.
 *
 * Return: 0; -ENOMEM.
 */
int plan_rules_settle_command(PlanGraph *g, size_t i) {
        const IndexSoftdep *softdeps;
        size_t n;
        int r;

        if (!g->request->compat_kmod || !g->nodes[i].install || node_is_builtin(&g->nodes[i]))
                return 0;

        r = plan_rules_get_softdeps(g, g->nodes[i].name, &softdeps, &n);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t k = 0; k < n; k++) {
                const IndexMatch *matches;
                size_t n_matches = 0;

                r = index_lookup(g->index, softdeps[k].key, &matches, &n_matches);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || n_matches == 0)
                        continue;
                g->nodes[i].install = NULL;
                return 0;
        }

        return 0;
}

/* Is the install line of a node a deny? Not for kmod, which runs it and fails. */
bool plan_rules_denies(const PlanGraph *g, const Node *n) {
        assert(g && n);

        return !g->request->compat_kmod && n->install && command_is_denial(n->install->value);
}
