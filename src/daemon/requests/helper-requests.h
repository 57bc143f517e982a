/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/config/charge.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/counters.h"
#include "daemon/planning/planner.h"

/* HelperRequests: the kernel's own requests, which lkmd-request brings, one connection for each. */
typedef struct HelperRequests HelperRequests;

/*
 * Who asked? @helper: the process of lkmd-request.
 * Return: 1 with a new reference; 0: not known; negative errno.
 */
typedef int (*find_requester_t)(const char *alias, pid_t helper, Requester **ret, void *userdata);

typedef struct HelperRequestsOptions {  /* all borrowed but the event loop and the socket */
        sd_event *event;
        int listen_fd;                  /* taken; negative: the kernel does not ask */
        const Planner *planner;
        Scheduler *scheduler;
        const Charge *charge;           /* while lkmd is not in charge, modprobe loads what the policy allows */
        Counters *counters;
        find_requester_t find_requester; /* NULL: it is never known */
        void *userdata;                 /* for it */
} HelperRequestsOptions;

int helper_requests_new(HelperRequests **ret, const HelperRequestsOptions *options);
HelperRequests *helper_requests_free(HelperRequests *h);
DEFINE_CLEANUP(HelperRequests, helper_requests_free);

bool helper_requests_is_idle(const HelperRequests *h);
