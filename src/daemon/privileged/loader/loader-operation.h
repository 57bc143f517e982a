/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "daemon/privileged/loader/loader-output.h"
#include "daemon/privileged/loader/loader-protocol.h"

typedef struct LoaderResult {
        LoaderRefusal refusal;
        int wait_status;                /* of a command, as of waitpid(2) */
        LoaderOutput output;            /* of a command */
} LoaderResult;

/* LoaderOperation: what a request for an operation may have, and the function that carries it out. */
typedef struct LoaderOperation {
        uint32_t flags;                 /* LOADER_* that are allowed */
        bool has_module, has_path;      /* required; a path is absolute */
        bool may_have_words;
        /* Called in a thread of its own, after all checks. Returns LoaderReply.error. NULL: the main thread replies */
        int (*run)(const LoaderRequest *request, LoaderResult *result);
} LoaderOperation;

const LoaderOperation *loader_operation(uint32_t op);
