/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the manager and the loader say to each other: one struct a packet, over SOCK_SEQPACKET, between two
 * processes of the same build. Strings end with NUL and are not parsed by the loader beyond that.
 */

#include <limits.h>
#include <stdint.h>

#include "common/names.h"

#define LOADER_MAGIC 0x6c6b6d32U        /* changes with the layout: both ends must be of one build */

typedef enum LoaderOp {
        LOADER_INSERT = 1,              /* finit_module(2) of @path with @parameters */
        LOADER_REMOVE,                  /* delete_module(2), never waiting */
        LOADER_INSTALL_COMMAND,         /* the install line of modprobe.d for @module; @parameters for $CMDLINE_OPTS */
        LOADER_REMOVE_COMMAND,          /* its remove line */
        LOADER_LOOK, /* where the thread of the request @id is in the kernel */
        _LOADER_OP_MAX,
} LoaderOp;

#define LOADER_FORCE_VERMAGIC (1U << 0) /* LOADER_INSERT: as MODULE_INIT_IGNORE_VERMAGIC, init_module(2) */
#define LOADER_FORCE_MODVERSIONS (1U << 1) /* LOADER_INSERT: as MODULE_INIT_IGNORE_MODVERSIONS */
#define LOADER_FORCE_REMOVAL (1U << 2) /* LOADER_REMOVE: O_TRUNC, delete_module(2) */

#define LOADER_FORCE_UNKNOWN (1U << 31) /* of a request long ago: one of them */

#define LOADER_STACK_MAX 1024U /* bytes of a kernel stack that are passed on */

typedef struct LoaderRequest {
        uint32_t magic;
        uint32_t op;
        uint64_t id;                    /* comes back in the reply */
        uint32_t flags; /* LOADER_FORCE_* */
        uint32_t reserved;
        char module[MODULE_NAME_MAX + 1];
        char path[PATH_MAX];
        char parameters[PARAMETERS_MAX];
} LoaderRequest;

typedef struct LoaderReply {
        uint32_t magic;
        int32_t error;                  /* 0 or negative errno; -ECANCELED: the command ran and failed */
        uint64_t id;
        uint64_t duration_usec;         /* inside the system call or the command */
        int32_t wait_status;            /* of the command, as waitpid(2) has it */
        uint32_t op; /* LOADER_LOOK, else that of the request */
        int32_t thread_id; /* LOADER_LOOK: as gettid(2) has it, 0: it is over already */
        uint32_t reserved;
        char stack[LOADER_STACK_MAX]; /* LOADER_LOOK: a function a line, innermost first; "": not readable */
} LoaderReply;
