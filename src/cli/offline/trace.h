/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>
#include <systemd/sd-json.h>

#include "common/policy/policy.h"

/*
 * Trace: what the policy did for each module of a plan, step by step. A plain structure; the strings of rulings belong
 * to the policy and the index.
 */
typedef struct TraceStep {
        char *module;
        PolicyPart part;
        PolicyTraceStep how;
        PolicyRuling what;
} TraceStep;

typedef struct Trace {
        TraceStep *items;               /* grouped by module and part, in order */
        size_t n_items;
        int error;                      /* -ENOMEM: it lacks steps */
} Trace;

/* A plan_trace_t; @userdata: the Trace */
void trace_add(const PolicySubject *subject, PolicyTraceStep how, const PolicyRuling *what, void *userdata);
void trace_clear(Trace *t);

size_t trace_group_end(const Trace *t, size_t i);
const TraceStep *trace_winner(const Trace *t, size_t first, size_t end);

/* Doubts: rules that would decide otherwise, if what is not known of the request matches them. */
bool trace_has_doubts(const Trace *t);
bool traces_have_the_same_doubts(const Trace *a, const Trace *b);
int trace_step_to_json(const TraceStep *m, sd_json_variant **ret);
int trace_doubts_to_json(const Trace *t, sd_json_variant **ret);
void trace_print_doubts(const Trace *t, FILE *f, const char *indent);

void print_ruling_name(FILE *f, const PolicyRuling *what);
void print_ruling_place(FILE *f, const PolicyRuling *what);
const char *trace_step_words(PolicyTraceStep how);
