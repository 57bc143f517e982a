/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PlanJudge: whether a module may be loaded: the policy allows it, and its file is there. Adds the omissions of the
 * plan. Owns nothing.
 */

#include "common/plan/plan-judge.h"

#include <assert.h>

#include "common/base/file-access.h"
#include "common/index/dependency-parents.h"
#include "common/plan/plan-faults.h"
#include "common/plan/plan-graph.h"
#include "common/plan/plan-rules.h"

/* A name that an alias turns off is no module, so no rule is about it. */
static bool is_turned_off(const Node *n) {
        return !n->module && !n->install && n->origin && config_entry_turns_off(n->origin);
}

/* One that cannot be looked at is not missing: the kernel, or lkmd-loader, will say what is wrong with it. */
static bool is_missing(const char *path) {
        struct stat st;
        int r = file_access_stat(path, &st);

        return r == -ENOENT || r == -ENOTDIR || r == -ELOOP;
}

/*
 * A request that needs a missing file changes nothing. Other faults are for the load to find (plan-faults.c).
 * Return: 0; -ENOMEM.
 */
static int judge_file(PlanGraph *g, size_t i, Judgement *ret) {
        const PlanRequest *request = g->request;
        const Node *n = &g->nodes[i];
        int r;

        if (!request->files || !request->finds_faults) {
                *ret = is_missing(n->module->path) ? FILE_MISSING : FIT;
                return 0;
        }
        r = plan_faults_look(g, i);
        if (r < 0)
                return r;
        *ret = n->fault.kind == MODULE_FILE_MISSING ? FILE_MISSING : FIT;
        return 0;
}

/**
 * plan_judge_alone() - judge a module without its dependencies
 * @part: what it is to the request; a module may be judged as several parts
 *
 * Looks keys up: no answer of another look-up may be in use.
 *
 * Return: 1: it can be loaded; 0: it cannot; -ENOMEM.
 */
int plan_judge_alone(PlanGraph *g, size_t i, PolicyPart part) {
        Judgement *judgement = g->nodes[i].judgement + part;
        const Node *n = &g->nodes[i];
        int r;

        if (*judgement != NOT_JUDGED)
                return *judgement == FIT;
        r = plan_rules_settle_command(g, i);
        if (r < 0)
                return r;

        if (node_is_builtin(n))
                *judgement = FIT;
        else if (is_turned_off(n))
                *judgement = MODULE_MISSING;
        else if (plan_rules_deny(g, i, part))
                *judgement = DENIED;
        else if (n->install && !plan_graph_ignores_install(g, n))
                *judgement = FIT;       /* the command needs no file */
        else if (!n->module)
                *judgement = MODULE_MISSING;
        else {
                r = judge_file(g, i, judgement);
                if (r < 0)
                        return r;
        }

        return *judgement == FIT;
}

/* A denial by a blacklist line has a kind of its own, since the module can still be loaded by its name. */
PlanOmissionKind plan_denial_kind(const PolicyRuling *ruling, PolicyPart part) {
        bool is_blacklist;

        assert(ruling);

        is_blacklist = ruling->source == POLICY_BY_BLACKLIST ||
                       (ruling->source == POLICY_BY_COMMAND_LINE && !ruling->rule);
        return is_blacklist && part == POLICY_REQUESTED ? PLAN_BLACKLISTED : PLAN_DENIED;
}

/* Adds the omission of a denied node. */
int plan_judge_omit_denied(PlanGraph *g, size_t i, PolicyPart part, const char *wanted_by, bool candidate) {
        const PolicyRuling *ruling = g->nodes[i].ruling + part;

        return plan_graph_omit(g, plan_denial_kind(ruling, part), g->nodes[i].name, wanted_by, ruling, candidate);
}

/* Adds the omission of a node that cannot be loaded. @config: the softdep that wants it; NULL: none. */
static int omit_node(PlanGraph *g, size_t i, PolicyPart part, const char *wanted_by,
                     const ConfigEntry *config, bool candidate) {
        const Node *n = &g->nodes[i];
        const ConfigEntry *line = config ?: n->origin;
        PolicyRuling ruling;

        switch (n->judgement[part]) {
        case DENIED:
                return plan_judge_omit_denied(g, i, part, wanted_by, candidate);
        case FILE_MISSING:
                return plan_graph_omit(g, PLAN_FILE_MISSING, n->name, wanted_by, NULL, candidate);
        default:
                if (is_turned_off(n)) {
                        ruling = ruling_of_line(n->origin);
                        return plan_graph_omit(g, PLAN_TURNED_OFF,
                                               wanted_by ? n->origin->name : g->request->key, wanted_by,
                                               &ruling, candidate);
                }
                if (line)
                        ruling = ruling_of_line(line);
                return plan_graph_omit(g, config ? PLAN_SOFTDEP_MISSING : PLAN_MODULE_MISSING, n->name,
                                       wanted_by, line ? &ruling : NULL, candidate);
        }
}

/* What denies a dependency, for the modules that need it. */
static const PolicyRuling *denial_of_dependency(const PlanGraph *g, size_t i) {
        return g->nodes[i].judgement[POLICY_DEPENDENCY] == DENIED ? g->nodes[i].ruling + POLICY_DEPENDENCY : NULL;
}

/*
 * Adds omissions of a dependency that cannot be loaded, and of all modules between it and the one that needs it.
 */
static int omit_dependency(PlanGraph *g, const IndexModule *m, const size_t *parents, size_t i,
                           bool candidate) {
        PolicyRuling ruling;
        bool denied;
        size_t n;
        int r;

        r = plan_graph_get_dependency(g, m, i, &n);
        if (r < 0)
                return r;

        denied = denial_of_dependency(g, n);
        if (denied)
                ruling = *denial_of_dependency(g, n);
        r = omit_node(g, n, POLICY_DEPENDENCY,
                      parents[i] == DEPENDENCY_OF_MODULE ? m->name : m->dependencies[parents[i]]->name, NULL,
                      candidate);

        for (size_t k = parents[i]; r >= 0 && k != DEPENDENCY_OF_MODULE; k = parents[k])
                r = plan_graph_omit(g, PLAN_IMPOSSIBLE, m->dependencies[k]->name,
                                    parents[k] == DEPENDENCY_OF_MODULE ? m->name
                                                                       : m->dependencies[parents[k]]->name,
                                    denied ? &ruling : NULL, candidate);
        return r;
}

/**
 * plan_judge_node() - judge a module and its dependencies
 * @part:      what it is to the request
 * @wanted_by: module; NULL: the request
 * @config:    the softdep that wants it; NULL: none
 *
 * Return: 1: it can be loaded; 0: it cannot, and the omissions say why; -ENOMEM.
 */
int plan_judge_node(PlanGraph *g, size_t i, PolicyPart part, const char *wanted_by,
                     const ConfigEntry *config, bool candidate) {
        const IndexModule *m = g->nodes[i].module;
        _cleanup_(freep) size_t *parents = NULL;
        PolicyRuling ruling = {};
        bool fit = true, denied = false;
        int r;

        r = plan_judge_alone(g, i, part);
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
                r = plan_judge_alone(g, d, POLICY_DEPENDENCY);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;

                if (fit) {
                        r = dependency_parents(m, &parents);
                        if (r < 0)
                                return r;
                        denied = denial_of_dependency(g, d);
                        if (denied)
                                ruling = *denial_of_dependency(g, d);
                }
                fit = false;
                r = omit_dependency(g, m, parents, k, candidate);
                if (r < 0)
                        return r;
        }
        if (fit)
                return 1;

        r = plan_graph_omit(g, PLAN_IMPOSSIBLE, g->nodes[i].name, wanted_by, denied ? &ruling : NULL,
                            candidate);
        return r < 0 ? r : 0;
}

/* ------------------------------------------------------------------------------------------ without a plan */

/**
 * plan_judge_name() - judge a module without a plan
 * @request: its key is the name, normalised
 * @ret:     borrows from the index and the policy
 */
void plan_judge_name(const Index *index, const PlanRequest *request, PolicyDecision *ret) {
        const PlanGraph g = { .index = index, .request = request };
        PolicyRequester requester;
        PolicySubject subject;
        Node n;

        assert(index && request && request->key && ret);

        n = (Node) {
                .name = request->key,
                .module = index_find_module(index, request->key),
                .install = modprobe_config_find_command(index_get_config(index), CONFIG_INSTALL, request->key),
        };
        plan_rules_make_subject(&g, &n, POLICY_REQUESTED, &requester, &subject);
        plan_rules_judge(request, &subject, plan_rules_kernel_name(request, &n), ret);
}

/**
 * plan_judge_file() - judge a file as the module that it has, whatever the index has of that name
 * @request: its key is the name of the file as a module's, normalised; its files are read
 * @path:    of the file
 * @ret:     borrows from the index, the policy and the files
 */
void plan_judge_file(const Index *index, const PlanRequest *request, const char *path, PolicyDecision *ret) {
        const PlanGraph g = { .index = index, .request = request };
        PolicyRequester requester;
        PolicySubject subject;
        const char *name;
        Node n;

        assert(index && request && request->key && request->files && path && ret);

        n = (Node) {
                .name = request->key,
                .install = modprobe_config_find_command(index_get_config(index), CONFIG_INSTALL,
                                                        request->key),
        };
        plan_rules_make_subject(&g, &n, POLICY_REQUESTED, &requester, &subject);
        subject.path = path;
        name = file_facts_name(request->files, path, FACTS_READ);
        plan_rules_judge(request, &subject, name && !streq(name, n.name) ? name : NULL, ret);
}

/**
 * plan_judge_step() - judge a module of a plan again
 * @request: as for plan_new(), with the current policy and time
 * @step:    of a plan for the same request
 * @ret:     borrows from the index, the policy and the step
 */
void plan_judge_step(const Index *index, const PlanRequest *request, const PlanStep *step, PolicyPart part,
                     PolicyDecision *ret) {
        const PlanGraph g = { .index = index, .request = request };
        PolicyRequester requester;
        PolicySubject subject;
        Node n;

        assert(index && request && request->key && step && ret);

        n = (Node) {
                .name = step->module,
                .module = index_find_module(index, step->module),
                .install = modprobe_config_find_command(index_get_config(index), CONFIG_INSTALL, step->module),
                .by_alias = step->by_alias,
        };
        plan_rules_make_subject(&g, &n, part, &requester, &subject);
        subject.path = subject.path ?: step->path;
        plan_rules_judge(request, &subject, step->kernel_name, ret);
}
