/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/util.h"

/*
 * WaitCircle: which requests of the kernel's can never end, because the init of a module waits for them, and they wait
 * for that module.
 */

typedef struct WaitingJob {             /* a load under way */
        uint64_t begun_usec;
        bool asks;                      /* its init waits for some request of the kernel's; which one is not known */
        bool is_stuck;                  /* the answer */
} WaitingJob;

typedef struct WaitingRequest {         /* of the kernel's, not answered yet */
        uint64_t begun_usec;
        bool *waits;                    /* for each job: does it wait for that one? */
        bool is_stuck;                  /* the answer */
} WaitingRequest;

void wait_circle_find(WaitingJob *jobs, size_t n_jobs, WaitingRequest *requests, size_t n_requests);
