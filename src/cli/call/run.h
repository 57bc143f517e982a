/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/call/client.h"
#include "cli/call/failure.h"
#include "cli/print/output.h"

typedef struct OptionalNumber {
        bool is_given;
        uint64_t value;
} OptionalNumber;

typedef struct OptionalInteger {
        bool is_given;
        int64_t value;
} OptionalInteger;

typedef enum GroupBy {                  /* what entries have in common that are shown together */
        GROUP_BY_NOTHING,               /* the option is not given */
        GROUP_BY_RULE,
        GROUP_BY_REQUESTER,
        GROUP_BY_MODULE,
        GROUP_BY_DEVICE,
} GroupBy;

typedef struct PathList {
        const char **paths;             /* owned, ends in NULL; borrowed strings. NULL: empty */
        size_t n_paths;
} PathList;

/*
 * One run of lkmctl. Owns the client and the lists; strings are borrowed from argv. Each option of commands.inc has
 * a field for its value, which is 0 where the option is not given.
 */
typedef struct Run {
        Output out;
        Client *client;                 /* connects when it is first used; NULL for offline verbs */

#define OPTION(type, field, ...) type field;
#include "cli/usage/commands.inc"
} Run;
