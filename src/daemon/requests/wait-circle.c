/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * WaitCircle: see wait-circle.h. Which request an init waits for is not known; it is one that began after the load.
 * Those that may be it are all considered: a load can go on as long as one of them can, and a request can unless one
 * of the loads that it waits for cannot. Begins with the assumption that nothing can go on, and takes it back step by
 * step, so that what remains is a circle for sure. Pure; owns nothing.
 */

#include "daemon/requests/wait-circle.h"

#include <assert.h>

static bool may_be_asked_by(const WaitingRequest *request, const WaitingJob *job) {
        return request->begun_usec >= job->begun_usec;
}

/* Is there a request that it may wait for, and can none of these go on? */
static bool job_is_stuck(const WaitingJob *job, const WaitingRequest *requests, size_t n_requests) {
        bool any = false;

        for (size_t i = 0; i < n_requests; i++) {
                if (!may_be_asked_by(requests + i, job))
                        continue;
                if (!requests[i].is_stuck)
                        return false;
                any = true;
        }
        return any;
}

static bool request_is_stuck(const WaitingRequest *request, const WaitingJob *jobs, size_t n_jobs) {
        for (size_t i = 0; i < n_jobs; i++)
                if (request->waits[i] && jobs[i].is_stuck)
                        return true;
        return false;
}

/**
 * wait_circle_find() - which jobs and requests wait for each other
 *
 * Sets @is_stuck of all of them.
 */
void wait_circle_find(WaitingJob *jobs, size_t n_jobs, WaitingRequest *requests, size_t n_requests) {
        bool changed = true;

        assert((jobs || n_jobs == 0) && (requests || n_requests == 0));

        for (size_t i = 0; i < n_jobs; i++)
                jobs[i].is_stuck = jobs[i].asks;
        for (size_t i = 0; i < n_requests; i++)
                requests[i].is_stuck = true;
        while (changed) {
                changed = false;
                for (size_t i = 0; i < n_requests; i++)
                        if (requests[i].is_stuck && !request_is_stuck(requests + i, jobs, n_jobs)) {
                                requests[i].is_stuck = false;
                                changed = true;
                        }
                for (size_t i = 0; i < n_jobs; i++)
                        if (jobs[i].is_stuck && !job_is_stuck(jobs + i, requests, n_requests)) {
                                jobs[i].is_stuck = false;
                                changed = true;
                        }
        }
}
