/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JobOperation: the table of operations, one row for each that a job can have. Owns nothing. */

#include "daemon/engine/job-operation.h"

#include <assert.h>

#include "common/base/util.h"
#include "daemon/base/module-state.h"

static const JobOperation operations[_LOADER_OP_MAX] = {
        [LOADER_INSERT] = {
                .inserts = true,
                .success = OUTCOME_LOADED,
                .done_error = -EEXIST,
                .done_outcome = OUTCOME_ALREADY_LOADED,
                .force = { { REQUEST_FORCE_VERMAGIC, LOADER_FORCE_VERMAGIC },
                           { REQUEST_FORCE_MODVERSIONS, LOADER_FORCE_MODVERSIONS } },
        },
        [LOADER_REMOVE] = {
                .removes = true,
                .success = OUTCOME_UNLOADED,
                .done_error = -ENOENT,
                .done_outcome = OUTCOME_UNLOADED,
                .force = { { REQUEST_FORCE_REMOVAL, LOADER_FORCE_REMOVAL } },
        },
        [LOADER_INSTALL_COMMAND] = {
                .slot = JOB_SLOT_COMMAND,
                .success = OUTCOME_COMMAND_RUN,
        },
        [LOADER_REMOVE_COMMAND] = {
                .slot = JOB_SLOT_COMMAND,
                .removes = true,
                .success = OUTCOME_COMMAND_RUN,
        },
};

const JobOperation *job_operation(LoaderOp op) {
        assert(op > 0 && op < _LOADER_OP_MAX && operations[op].success != OUTCOME_UNDER_WAY);

        return operations + op;
}

/* LOADER_FORCE_* for a request, as far as the operation knows them. */
unsigned job_operation_flags(LoaderOp op, const Request *request) {
        const JobOperation *o = job_operation(op);
        unsigned flags = 0;

        assert(request);

        for (size_t i = 0; i < ARRAY_LEN(o->force); i++)
                if (request->force & o->force[i].request)
                        flags |= o->force[i].loader;
        return flags;
}

/*
 * Did the operation succeed, as far as the state of the module shows? For jobs of a loader that was killed: the kernel
 * finished its system calls before it closed the connection.
 */
bool job_operation_was_done(LoaderOp op, const char *module) {
        const JobOperation *o = job_operation(op);

        assert(module);

        if (o->slot == JOB_SLOT_COMMAND)
                return false;           /* only the loader knows how a command ended */
        return module_state_read(module) == (o->removes ? MODULE_ABSENT : MODULE_LIVE);
}
