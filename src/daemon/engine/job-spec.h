/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan/plan.h"
#include "daemon/history/record.h"
#include "daemon/privileged/request/loader-protocol.h"

/* JobSpec: one thing to be done to one module, and the callbacks of the waiter. */

/* None is called from inside scheduler_submit(). */
typedef bool (*job_may_t)(void *userdata);      /* the last check before it goes to the loader; frees nothing */
typedef void (*job_live_t)(void *userdata);     /* its module can be used; once, before the outcome */
typedef void (*job_done_t)(Record *record, void *userdata); /* the outcome; NULL: job_may_t was false */

typedef struct JobSpec {                /* with @may, everything in it has to stay valid until the outcome */
        LoaderOp op;
        const char
                *module; /* by the name of its file, which the loader gets; LOADER_REMOVE: in the kernel */
        const char *kernel_name;        /* what the kernel calls it, if that is known and another name; else NULL */
        const char *path;               /* LOADER_INSERT */
        const char *parameters;         /* NULL or "": none */
        const PlanWords *words; /* the same, with their origins */
        size_t n_words;
        const char *command_file;       /* of the line with the command; NULL: none */
        unsigned command_line;
        Request *request;
        PlanReason reason;              /* unless removed */
        const char *parent;             /* that it is a step for; NULL: it was requested itself */
        const PlanRuling *allowed_by;   /* the ruling of the policy; NULL: it was not asked */
        uint64_t rank_usec; /* expected duration of the longest chain that begins with it */
        job_may_t may;                  /* NULL: it may */
        job_live_t live;                /* NULL: not needed */
} JobSpec;
