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
 * PlanGraph: a plan in the making, shared by the files that make it: plan-graph.c knows the modules,
 * plan-judge.c says which can be had, plan-builder.c walks and places them, plan-edges.c draws the lines
 * between the steps. Nobody else needs this.
 */

#define NOBODY SIZE_MAX

typedef enum NodeState {
        NODE_FRESH,
        NODE_WALKING,                   /* on the stack, not placed yet */
        NODE_PLACED,                    /* has its step, or needs none */
} NodeState;

typedef enum Judgement {
        NOT_JUDGED,
        FIT,
        DENIED,
        FILE_MISSING,
        MODULE_MISSING,
} Judgement;

typedef struct Node {                   /* what is known of one module; steps are made from it */
        const char *name;
        const IndexModule *module;      /* NULL: a name with a command, or nothing at all */
        const ConfigEntry *install;     /* NULL: none */
        const ConfigEntry *origin;      /* line that led here, if a line of modprobe.d did */
        const char *alias, *option_key;
        bool requested;
        NodeState state;
        bool by_alias;                  /* an alias led here, nobody named it */
        Judgement judgement[_POLICY_PART_MAX];
        PolicyPart part;                /* as what it was placed */
        PolicyRuling ruling[_POLICY_PART_MAX]; /* once judged, and if the policy was asked */
        bool would_deny[_POLICY_PART_MAX]; /* likewise, what is in audit mode counted */
        size_t step;                    /* SIZE_MAX: none */
        PlanReason reason;
        size_t parent;                  /* node that was begun before it; NOBODY: the request */
        size_t nearer;                  /* dependency of the parent that needs it; NOBODY: the parent itself does */
} Node;

typedef struct Target {                 /* something that a node's softdeps lead to, or that was put off */
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
        NameTable *names;               /* to nodes */
        Node *nodes;
        size_t n_nodes;
        size_t *step_nodes;             /* node of each step */
        StringArena strings;            /* keys, which the next look-up overwrites */
        TargetList later;               /* put off */
        TargetList orders;              /* a pre is before its parent, a post behind it */
        bool *omission_is_candidate;    /* of each omission: is it about something asked for? */
        NameTable *omitted;             /* what the omissions say already */
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
