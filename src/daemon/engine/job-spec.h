/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/plan/plan.h"
#include "daemon/history/record.h"
#include "daemon/privileged/loader/loader-protocol.h"

/* JobSpec: one thing that is to be done to one module, and who is told of it. */

/* None is ever called from inside scheduler_submit(). */
typedef bool (*job_may_t)(void *userdata);      /* the last word before it goes to the loader; frees nothing */
typedef void (*job_live_t)(void *userdata);     /* its module can be used now; at most once, before the outcome */
typedef void (*job_done_t)(Record *record, void *userdata); /* the outcome; NULL: none, for job_may_t said no */

typedef struct JobSpec {                /* with @may, all of it stays where it is until the outcome */
        LoaderOp op;
        const char *module;
        const char *path;               /* LOADER_INSERT */
        const char *parameters;         /* NULL or "": none */
        const PlanWords *words; /* the same, with who wrote them */
        size_t n_words;
        Request *request;
        PlanReason reason;              /* unless removed */
        const char *parent;             /* NULL: requested itself */
        const PlanRuling *allowed_by;    /* what the policy went by; NULL: it was not asked */
        uint64_t rank_usec; /* how long the longest chain of what waits for it will take, itself included */
        job_may_t may;                  /* NULL: it may */
        job_live_t live;                /* NULL: of no interest */
} JobSpec;
