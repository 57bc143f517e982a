/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/name-table.h"
#include "common/base/string-arena.h"
#include "common/index/index-lookup.h"
#include "common/plan/plan.h"

/*
 * PlanGraph: a plan in progress. Internal to the files that make plans: plan-graph.c has the nodes, plan-judge.c
 * judges them, plan-builder.c walks and places them, plan-edges.c adds the edges between the steps, plan-faults.c
 * foretells which will fail.
 */

#define NOBODY SIZE_MAX

typedef enum NodeState {
        NODE_FRESH,
        NODE_WALKING,                   /* on the stack, not placed yet */
        NODE_PLACED,                    /* has a step, or needs none */
} NodeState;

typedef enum Judgement {
        NOT_JUDGED,
        FIT,
        DENIED,
        FILE_MISSING,
        MODULE_MISSING,
} Judgement;

typedef struct Node {                   /* one module, of which a step is made */
        const char *name;
        const IndexModule *module;      /* NULL: there is none of this name; it may have a command */
        const ConfigEntry *install;     /* NULL: none */
        const ConfigEntry *origin;      /* the line of modprobe.d by which it was found; NULL: none */
        const char *alias, *option_key;
        bool requested;
        NodeState state;
        bool by_alias;                  /* found by an alias, not by its name */
        Judgement judgement[_POLICY_PART_MAX];
        ModuleFault fault;              /* of its file, if faults are looked for */
        PolicyPart part;                /* of the placed step */
        PolicyRuling ruling[_POLICY_PART_MAX]; /* if the policy has judged it */
        bool would_deny[_POLICY_PART_MAX]; /* likewise, with what is in audit mode enforced */
        size_t step;                    /* SIZE_MAX: none */
        PlanReason reason;
        size_t parent;                  /* node that was begun before it and needs it; NOBODY: the request */
        size_t nearer;                  /* dependency of the parent that needs it; NOBODY: the parent itself */
} Node;

typedef struct Target {                 /* a target of a softdep, possibly postponed */
        size_t node;
        size_t parent;
        bool post;
        const ConfigEntry *config;
} Target;

typedef struct TargetList {
        Target *items;
        size_t n_items;
} TargetList;

typedef struct PlanGraph {
        Plan *plan;
        const Index *index;
        IndexAnswer answer;             /* of the last look-up, if there is no cache */
        const PlanRequest *request;
        NameTable *names;               /* index of each node by name */
        Node *nodes;
        size_t n_nodes;
        size_t *step_nodes;             /* index of the node of each step */
        StringArena strings;            /* copies of keys, which the next look-up invalidates */
        TargetList later;               /* postponed */
        TargetList orders;              /* a pre goes before its parent, a post after it */
        bool *omission_is_candidate;    /* of each omission: it concerns a requested module */
        NameTable *omitted;             /* to find known omissions */
} PlanGraph;

void plan_graph_clear(PlanGraph *g);
int target_list_add(TargetList *l, const Target *t);
void target_list_clear(TargetList *l);

int plan_graph_look_up(PlanGraph *g, const char *key, const IndexMatch **ret, size_t *ret_n);
int plan_graph_get_node(PlanGraph *g, const char *name, const IndexModule *module, size_t *ret);
int plan_graph_get_dependency(PlanGraph *g, const IndexModule *m, size_t i, size_t *ret);
int plan_graph_get_match(PlanGraph *g, const IndexMatch *m, size_t *ret);
bool plan_graph_ignores_install(const PlanGraph *g, const Node *n);
bool node_is_builtin(const Node *n);

PolicyRuling ruling_of_line(const ConfigEntry *line);
int plan_graph_omit(PlanGraph *g, PlanOmissionKind kind, const char *module, const char *wanted_by,
                    const PolicyRuling *ruling, bool candidate);
