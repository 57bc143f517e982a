/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* LoaderOperation: the table of operations, one row for each. Owns nothing. */

#include "daemon/privileged/loader/loader-operation.h"

#include "daemon/privileged/loader/loader-command.h"
#include "daemon/privileged/loader/loader-module.h"

static int run_insert(const LoaderRequest *request, LoaderResult *result) {
        return loader_insert(request, &result->refusal);
}

static int run_remove(const LoaderRequest *request, LoaderResult *result) {
        return loader_remove(request);
}

static int run_command(const LoaderRequest *request, LoaderResult *result) {
        return loader_command(request, &result->refusal, &result->wait_status, &result->output);
}

static const LoaderOperation operations[_LOADER_OP_MAX] = {
        [LOADER_INSERT] = {
                .flags = LOADER_FORCE_VERMAGIC | LOADER_FORCE_MODVERSIONS | LOADER_HAS_CLIENT,
                .has_module = true,
                .has_path = true,
                .may_have_words = true,
                .run = run_insert,
        },
        [LOADER_REMOVE] = {
                .flags = LOADER_FORCE_REMOVAL | LOADER_HAS_CLIENT,
                .has_module = true,
                .run = run_remove,
        },
        [LOADER_INSTALL_COMMAND] = {
                .flags = LOADER_HAS_CLIENT,
                .has_module = true,
                .may_have_words = true,
                .run = run_command,
        },
        [LOADER_REMOVE_COMMAND] = {
                .has_module = true,
                .run = run_command,
        },
        [LOADER_LOOK] = { .run = NULL },
};

/* Return: NULL if there is no such operation. */
const LoaderOperation *loader_operation(uint32_t op) {
        return op < _LOADER_OP_MAX && (operations[op].run || op == LOADER_LOOK) ? operations + op : NULL;
}
