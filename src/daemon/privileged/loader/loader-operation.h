/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "daemon/privileged/loader/loader-protocol.h"

/* LoaderOperation: what a request for an operation may have, and the function that carries it out. */
typedef struct LoaderOperation {
        uint32_t flags;                 /* LOADER_* that are allowed */
        bool has_module, has_path;      /* required; a path is absolute */
        bool may_have_words;
        /* Called in a thread of its own, after all checks. Returns LoaderReply.error. NULL: the main thread replies */
        int (*run)(const LoaderRequest *request, LoaderRefusal *ret_refusal, int *ret_status);
} LoaderOperation;

const LoaderOperation *loader_operation(uint32_t op);
