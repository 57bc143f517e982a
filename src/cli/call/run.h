/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/call/client.h"
#include "cli/call/failure.h"
#include "cli/print/output.h"
#include "common/base/origin.h"

/* One run of lkmctl. Owns the client and arrays; strings are borrowed from argv. */
typedef struct Run {
        Output out;
        Client *client;                 /* connects when it is first used */
        bool help, version;             /* the options of these names */

        /* Options of verbs. */
        bool force, force_vermagic, force_modversion;
        bool wait_idle;
        const char *wait_module, *wait_device;
        bool wait_limited;
        uint64_t wait_usec;
        const char *metrics_file;       /* NULL: standard output */

        /* Options of the offline verbs. */
        const char *root, *kernel;      /* NULL: none, the running one */
        const char **config_paths;      /* owned, NULL-terminated; borrowed strings */
        size_t n_config_paths;
        const char **policy_paths;      /* likewise */
        size_t n_policy_paths;
        bool all;

        /* Who asks, for "explain". */
        bool has_origin, has_uid;
        RequestOrigin origin;
        uint32_t uid;

        /* Of "policy allow" and "policy deny", and "policy propose". */
        uint64_t for_usec;              /* 0: not given */
        bool once, until_reboot;
        const char *reason;
        uint64_t since_usec;            /* CLOCK_REALTIME; 0: since ever */
} Run;
