/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/history/record.h"
#include "daemon/privileged/request/loader-protocol.h"

/*
 * The kind of slot that a running job occupies. An install or remove command may request other modules and wait for
 * them, so it must not occupy a slot that those need.
 */
typedef enum JobSlot {
        JOB_SLOT_KERNEL,                /* inserts and removals */
        JOB_SLOT_COMMAND,
        _JOB_SLOT_MAX,
} JobSlot;

/* JobOperation: what the engine has to know of an operation of the loader. */
typedef struct JobOperation {
        JobSlot slot;
        bool inserts;                   /* its module goes live while the operation is under way; loads are timed */
        bool removes;                   /* for the record: a removal */
        Outcome success;
        int done_error;                 /* errno if somebody else did it first; 0: none */
        Outcome done_outcome;           /* then */
        struct {
                unsigned request, loader; /* REQUEST_FORCE_*, LOADER_FORCE_* */
        } force[2];                     /* that it knows */
} JobOperation;

const JobOperation *job_operation(LoaderOp op);
unsigned job_operation_flags(LoaderOp op, const Request *request);
bool job_operation_was_done(LoaderOp op, const char *module);
