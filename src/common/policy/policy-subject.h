/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/origin.h"
#include "common/modprobe/modprobe-config.h"
#include "common/module/module-info.h"

/* PolicySubject: what is judged, a module and the request that it is wanted for. */

/* Who asks, for what. What is not known is NULL, or has_uid false. Borrowed. */
typedef struct PolicyRequester {
        RequestOrigin origin;           /* _ORIGIN_INVALID: not known, a question without a request */
        const char *key;                /* as asked: name, alias or modalias */
        const char *subsystem;          /* of the device */
        const char *driver;             /* that the device has already */
        const char *unit;               /* systemd unit of the client */
        bool has_uid;
        uid_t uid;
} PolicyRequester;

typedef enum PolicyPart {               /* what a module is to its request */
        POLICY_REQUESTED,
        POLICY_DEPENDENCY,              /* comes with what was allowed: the default is not asked */
        POLICY_SOFTDEP,
        _POLICY_PART_MAX,
} PolicyPart;

typedef struct PolicySubject {
        const PolicyRequester *requester; /* NULL: nothing is known of it */
        PolicyPart part;
        const char *module;             /* normalised */
        const char *path;               /* of its file; NULL: none */
        const ConfigEntry *install;     /* an install line that denies; NULL: none */
        const ConfigEntry *blacklist;   /* a blacklist line that holds for this part; NULL: none */
        const ConfigEntry *command_line_blacklist; /* likewise, of the kernel command line */
} PolicySubject;

/* Return: NULL if it cannot be told. Called only when a rule asks; what it gives lives as long as the policy. */
typedef const ModuleFacts *(*policy_facts_t)(const char *path, void *userdata);
