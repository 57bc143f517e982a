/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The modules that a plan is about: which there are, by which way they were reached, and whether each can be
 * had at all. What cannot is said in the plan's omissions. Owns the nodes, borrows the plan, the index and
 * the request.
 */

#include "common/plan-graph.h"

#include <assert.h>
#include <sys/stat.h>

#include "common/closure.h"
#include "common/plan-rules.h"

void plan_graph_clear(PlanGraph *g) {
        name_table_free(g->names);
        name_table_free(g->omitted);
        string_arena_clear(&g->strings);
        free(g->nodes);
        free(g->step_nodes);
        free(g->later.items);
        free(g->orders.items);
        free(g->omission_is_candidate);
}

int target_list_add(TargetList *l, const Target *t) {
        Target *items = reallocarray(l->items, l->n_items + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        l->items = items;
        l->items[l->n_items++] = *t;
        return 0;
}

void target_list_clear(TargetList *l) {
        free(l->items);
}

/* ------------------------------------------------------------------------------------------------- nodes */

/**
 * plan_graph_get_node() - the node of a module, made if there is none yet
 * @name:   normalised, lives as long as the index
 * @module: NULL: no such module
 *
 * Return: 0; -ENOMEM.
 */
int plan_graph_get_node(PlanGraph *g, const char *name, const IndexModule *module, size_t *ret) {
        Node *nodes;
        int r;

        if (name_table_find(g->names, name, ret))
                return 0;

        nodes = reallocarray(g->nodes, g->n_nodes + 1, sizeof(*nodes));
        if (!nodes)
                return -ENOMEM;
        g->nodes = nodes;
        r = name_table_add(g->names, name, g->n_nodes);
        if (r < 0)
                return r;

        g->nodes[g->n_nodes] = (Node) {
                .name = name,
                .module = module,
                .install = modprobe_config_find_command(index_get_config(g->index), CONFIG_INSTALL, name),
                .step = SIZE_MAX,
                .parent = NOBODY,
                .nearer = NOBODY,
        };
        *ret = g->n_nodes++;
        return 0;
}

/* The node of the dependency at place @i. */
int plan_graph_get_dependency(PlanGraph *g, const IndexModule *m, size_t i, size_t *ret) {
        return plan_graph_get_node(g, m->dependencies[i]->name, m->dependencies[i], ret);
}

/**
 * plan_graph_get_match() - the node of one answer of the index, with the way that led to it
 * @m: what is forgotten at the next look-up is copied
 *
 * Return: 0; -ENOMEM.
 */
int plan_graph_get_match(PlanGraph *g, const IndexMatch *m, size_t *ret) {
        const char *key = NULL;
        Node *n;
        int r;

        r = plan_graph_get_node(g, m->name, m->module, ret);
        if (r < 0)
                return r;

        n = &g->nodes[*ret];
        if (n->state != NODE_FRESH || n->alias)
                return 0;
        if (m->option_key) {
                key = string_arena_add(&g->strings, m->option_key, strlen(m->option_key));
                if (!key)
                        return -ENOMEM;
        }
        n->option_key = key;
        n->alias = m->source == INDEX_SYMBOL ? key : m->alias;
        n->origin = m->config;
        if (m->source == INDEX_COMMAND && m->config->kind == CONFIG_INSTALL)
                n->install = m->config;
        return 0;
}

bool node_is_builtin(const Node *n) {
        return n->module && !n->module->path;
}

/* modprobe -i is for what was named, and for nothing that comes along. */
bool plan_graph_ignores_install(const PlanGraph *g, const Node *n) {
        return n->requested && g->request->ignore_install;
}

/**
 * plan_graph_judge_alone() - can this module be loaded, leaving aside what it needs?
 * @part: what it is to the request; it may be judged as more than one
 *
 * Asks the index: no answer of it may be in use.
 *
 * Return: 1 if it is fit; 0 if not; -ENOMEM.
 */
int plan_graph_judge_alone(PlanGraph *g, size_t i, PolicyPart part) {
        Judgement *judgement = g->nodes[i].judgement + part;
        const Node *n = &g->nodes[i];
        struct stat st;
        int r;

        if (*judgement != NOT_JUDGED)
                return *judgement == FIT;
        r = plan_rules_settle_command(g, i);
        if (r < 0)
                return r;

        if (node_is_builtin(n))
                *judgement = FIT;
        else if (plan_rules_deny(g, i, part))
                *judgement = DENIED;
        else if (n->install && !plan_graph_ignores_install(g, n))
                *judgement = FIT;       /* the command needs no file */
        else if (!n->module)
                *judgement = MODULE_MISSING;
        else
                *judgement = stat(n->module->path, &st) < 0 ? FILE_MISSING : FIT;

        return *judgement == FIT;
}

/* --------------------------------------------------------------------------------------------- omissions */

/*
 * Return: 1 if this is the first time it is said, 0 if not. A second one may be about something asked for.
 */
static int note_omission(PlanGraph *g, PlanOmissionKind kind, const char *module, const char *wanted_by,
                         bool candidate) {
        _cleanup_(freep) char *key = NULL;
        const char *kept;
        size_t known;
        int r;

        if (asprintf(&key, "%d %s %s", (int) kind, module, wanted_by ?: "") < 0) {
                key = NULL;
                return -ENOMEM;
        }
        if (name_table_find(g->omitted, key, &known)) {
                g->omission_is_candidate[known] |= candidate;
                return 0;
        }

        kept = string_arena_add(&g->strings, key, strlen(key));
        if (!kept)
                return -ENOMEM;
        r = name_table_add(g->omitted, kept, g->plan->n_omissions);
        return r < 0 ? r : 1;
}

static int copy_text(const char *s, char **ret) {
        *ret = s ? strdup(s) : NULL;
        return s && !*ret ? -ENOMEM : 0;
}

/* Return: 0; -ENOMEM, with what is there to be cleared. */
int plan_cause_set(PlanCause *c, const PolicyRuling *ruling) {
        int r;

        c->source = ruling ? ruling->source : _POLICY_SOURCE_INVALID;
        if (!ruling)
                return 0;
        c->line = ruling->line;
        c->column = ruling->column;
        r = copy_text(ruling->file, &c->file);
        if (r >= 0)
                r = copy_text(ruling->id, &c->rule);
        if (r >= 0)
                r = copy_text(ruling->reason, &c->reason);
        return r;
}

/* A line of modprobe.d as a cause that no policy was asked about. */
PolicyRuling ruling_of_line(const ConfigEntry *line) {
        return (PolicyRuling) { .source = _POLICY_SOURCE_INVALID, .file = line->file, .line = line->line };
}

static void omission_clear(PlanOmission *o) {
        free(o->module);
        free(o->wanted_by);
        plan_cause_clear(&o->cause);
}

/**
 * plan_graph_omit() - say once that something was left out, and why
 * @cause:     what decided; NULL: nothing that was written anywhere
 * @candidate: it concerns something that was asked for
 *
 * Return: 0; -ENOMEM.
 */
int plan_graph_omit(PlanGraph *g, PlanOmissionKind kind, const char *module, const char *wanted_by,
                    const PolicyRuling *cause, bool candidate) {
        _cleanup_(omission_clear) PlanOmission o = { .kind = kind };
        Plan *p = g->plan;
        PlanOmission *omissions;
        bool *flags;
        int r;

        r = copy_text(module, &o.module);
        if (r >= 0)
                r = copy_text(wanted_by, &o.wanted_by);
        if (r >= 0)
                r = plan_cause_set(&o.cause, cause);
        if (r < 0)
                return r;

        omissions = reallocarray(p->omissions, p->n_omissions + 1, sizeof(*omissions));
        if (!omissions)
                return -ENOMEM;
        p->omissions = omissions;
        flags = reallocarray(g->omission_is_candidate, p->n_omissions + 1, sizeof(*flags));
        if (!flags)
                return -ENOMEM;
        g->omission_is_candidate = flags;

        r = note_omission(g, kind, module, wanted_by, candidate);
        if (r <= 0)
                return r;
        g->omission_is_candidate[p->n_omissions] = candidate;
        p->omissions[p->n_omissions++] = o;
        o = (PlanOmission) {};
        return 0;
}

/* A denied node is left out: by whichever line it is denied. */
int plan_graph_deny(PlanGraph *g, size_t i, PolicyPart part, const char *wanted_by, bool candidate) {
        const PolicyRuling *ruling = g->nodes[i].ruling + part;

        return plan_graph_omit(g, plan_denial_kind(ruling, part), g->nodes[i].name, wanted_by, ruling, candidate);
}

/* One node that is not fit. @config: the softdep that asked for it, NULL for none. */
static int omit_node(PlanGraph *g, size_t i, PolicyPart part, const char *wanted_by,
                     const ConfigEntry *config, bool candidate) {
        const Node *n = &g->nodes[i];
        const ConfigEntry *line = config ?: n->origin;
        PolicyRuling cause;

        switch (n->judgement[part]) {
        case DENIED:
                return plan_graph_deny(g, i, part, wanted_by, candidate);
        case FILE_MISSING:
                return plan_graph_omit(g, PLAN_FILE_MISSING, n->name, wanted_by, NULL, candidate);
        default:
                if (line)
                        cause = ruling_of_line(line);
                return plan_graph_omit(g, config ? PLAN_SOFTDEP_MISSING : PLAN_MODULE_MISSING, n->name,
                                       wanted_by, line ? &cause : NULL, candidate);
        }
}

/* What denies a dependency, for all that cannot be had without it. */
static const PolicyRuling *denial_of_dependency(const PlanGraph *g, size_t i) {
        return g->nodes[i].judgement[POLICY_DEPENDENCY] == DENIED ? g->nodes[i].ruling + POLICY_DEPENDENCY : NULL;
}

/* A dependency that is not fit, and everything between it and the module that makes impossible. */
static int omit_dependency(PlanGraph *g, const IndexModule *m, const size_t *parents, size_t i,
                           bool candidate) {
        PolicyRuling cause;
        bool denied;
        size_t n;
        int r;

        r = plan_graph_get_dependency(g, m, i, &n);
        if (r < 0)
                return r;

        denied = denial_of_dependency(g, n);
        if (denied)
                cause = *denial_of_dependency(g, n);
        r = omit_node(g, n, POLICY_DEPENDENCY,
                      parents[i] == CLOSURE_TOP ? m->name : m->dependencies[parents[i]]->name, NULL, candidate);

        for (size_t k = parents[i]; r >= 0 && k != CLOSURE_TOP; k = parents[k])
                r = plan_graph_omit(g, PLAN_IMPOSSIBLE, m->dependencies[k]->name,
                                    parents[k] == CLOSURE_TOP ? m->name : m->dependencies[parents[k]]->name,
                                    denied ? &cause : NULL, candidate);
        return r;
}

/**
 * plan_graph_judge() - can this module be loaded, with all that it needs?
 * @part:      what it is to the request
 * @wanted_by: module; NULL: the request
 * @config:    the softdep that asked for it; NULL: none did
 *
 * Return: 1; 0 with the reasons in the omissions; -ENOMEM.
 */
int plan_graph_judge(PlanGraph *g, size_t i, PolicyPart part, const char *wanted_by,
                     const ConfigEntry *config, bool candidate) {
        const IndexModule *m = g->nodes[i].module;
        _cleanup_(freep) size_t *parents = NULL;
        PolicyRuling cause = {};
        bool fit = true, denied = false;
        int r;

        r = plan_graph_judge_alone(g, i, part);
        if (r < 0)
                return r;
        if (r == 0) {
                r = omit_node(g, i, part, wanted_by, config, candidate);
                return r < 0 ? r : 0;
        }

        for (size_t k = 0; m && k < m->n_dependencies; k++) {
                size_t d;

                r = plan_graph_get_dependency(g, m, k, &d);
                if (r < 0)
                        return r;
                r = plan_graph_judge_alone(g, d, POLICY_DEPENDENCY);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;

                if (fit) {
                        r = closure_parents(m, &parents);
                        if (r < 0)
                                return r;
                        denied = denial_of_dependency(g, d);
                        if (denied)
                                cause = *denial_of_dependency(g, d);
                }
                fit = false;
                r = omit_dependency(g, m, parents, k, candidate);
                if (r < 0)
                        return r;
        }
        if (fit)
                return 1;

        r = plan_graph_omit(g, PLAN_IMPOSSIBLE, g->nodes[i].name, wanted_by, denied ? &cause : NULL,
                            candidate);
        return r < 0 ? r : 0;
}
