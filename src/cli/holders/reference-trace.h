/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/util.h"

/* Who took and dropped references of a module, and where in the kernel. */
typedef struct TraceCaller {
        pid_t pid;
        char command[17];
        char *site;                     /* the function of the kernel that asked */
        uint64_t gets, puts;
} TraceCaller;

/* ReferenceTrace: those of a time. Owns the callers. */
typedef struct ReferenceTrace {
        TraceCaller *callers;           /* those with the most calls first */
        size_t n_callers;
        bool incomplete;                /* there were more than the kernel kept */
} ReferenceTrace;

/* What went wrong: a step that failed, for which -errno is returned. */
typedef enum TraceStep {
        TRACE_BEGINS,                   /* tracefs is not there, or may not be used */
        TRACE_ARMS,                     /* the kernel does not offer the events */
        TRACE_READS,
} TraceStep;

int reference_trace_run(const char *tracefs, const char *module, uint64_t usec, ReferenceTrace *ret,
                        TraceStep *ret_step);
int reference_trace_parse(char *text, const char *module, ReferenceTrace *ret);
void reference_trace_clear(ReferenceTrace *t);
