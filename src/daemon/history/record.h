/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "common/base/util.h"
#include "common/plan/plan.h"
#include "daemon/history/request.h"

typedef enum Outcome {                  /* names are those of the varlink enum Outcome */
        OUTCOME_UNDER_WAY,              /* none yet; not a varlink value */
        OUTCOME_LOADED,
        OUTCOME_ALREADY_LOADED,
        OUTCOME_BUILT_IN,
        OUTCOME_COMMAND_RUN,
        OUTCOME_UNLOADED,
        OUTCOME_FAILED,
        OUTCOME_KEPT_OUT,
        OUTCOME_DEPENDENCY_FAILED,
        _OUTCOME_MAX,
        _OUTCOME_INVALID = -EINVAL,
} Outcome;

/*
 * One operation on one module, and the request behind it. Shared; does not change after it has its outcome.
 */
typedef struct Record {
        unsigned n_ref;
        uint64_t id;                    /* in the ledger; 0: it is not there */
        uint64_t
                submitted_usec; /* CLOCK_MONOTONIC: when its job was queued; 0: it had none, or is not known */
        uint64_t began_usec;            /* CLOCK_MONOTONIC: when it was passed to the loader; 0: it was not */
        uint64_t ended_usec;            /* CLOCK_MONOTONIC: when it had its outcome; 0: not yet, or not known */
        uint64_t time_usec;             /* CLOCK_REALTIME: of the begin, then of the outcome */
        char *module;                   /* as the kernel calls it, once that is known */
        char *file_module;              /* by the name of its file, if that is another name; else NULL */
        Outcome outcome;
        bool removal;
        bool gone;                      /* the module has left the kernel since */
        Request *request;
        PlanReason reason;              /* not for a removal */
        bool also_requested;            /* a request for the module itself joined the job */
        char *parent;                   /* NULL for what was requested itself */
        PlanRuling allowed_by;           /* the ruling of the policy; without a file: no written rule */
        char *parameters;               /* NULL for none */
        uint64_t duration_usec;
        uint64_t live_usec;             /* part of it until the module could be used; 0: not known */
        pid_t thread_id; /* of lkmd-loader, while it is under way and slow; 0: not known */
        char **kernel_stack; /* of that thread, innermost first; NULL: not known */
        bool slow; /* it took longer than SlowLoadSec= */
        int error;                      /* 0 or negative errno */
        bool not_proven; /* refused, since root's process did not have words or force among its arguments */
        char *command_file;             /* of the line with the command, until it has run; NULL: none, or not known */
        unsigned command_line;
        char *message;
        char *hint;
        char **kernel_log;              /* what the kernel wrote about a failure; NULL-terminated or NULL */
} Record;

int record_new(Record **ret, const char *module, Request *request);
Record *record_ref(Record *r);
Record *record_unref(Record *r);
DEFINE_CLEANUP(Record, record_unref);

static inline bool outcome_is_success(Outcome o) {
        return o == OUTCOME_LOADED || o == OUTCOME_ALREADY_LOADED || o == OUTCOME_BUILT_IN ||
               o == OUTCOME_COMMAND_RUN || o == OUTCOME_UNLOADED;
}

int record_set_kernel_name(Record *r, const char *name);
const char *record_file_module(const Record *r);
bool record_is_about(const Record *r, const char *module);
void record_set_whereabouts(Record *r, pid_t thread_id, const char *stack);
bool record_is_lkmds(const Record *r);
bool record_is_wanted(const Record *r);
bool record_is_remarkable(const Record *r);

/* A list of references to records. */
typedef struct RecordList {
        Record **items;
        size_t n_items;
} RecordList;

int record_list_add(RecordList *list, Record *r);
void record_list_clear(RecordList *list);

const char *outcome_to_string(Outcome o);
Outcome outcome_from_string(const char *s);
