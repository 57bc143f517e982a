/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The priorities of the event loop: of all that is ready, the first in this list runs first, and each turn decides
 * anew. So clients can delay what is above them by the duration of one call at most. A defer source that is enabled
 * all the time would starve others of the same priority, so that of the clients has a priority of its own.
 */
enum {
        LOOP_SIGNALS = -200,
        LOOP_FILES = -110,              /* changed files have to be read before anything is decided by them */
        LOOP_LOADER = -100,             /* outcomes before new work, since they free slots for it */
        LOOP_REQUESTS = -90,            /* the kernel's own, for each of which somebody's system call waits */
        LOOP_EVENTS = 0,                /* uevents, the intake, slices of the coldplug, jobs, timers */
        LOOP_UDEV_EVENTS = 1,           /* udev's answers to them */
        LOOP_EVENT_GAPS = 5,
        LOOP_LULL = 10,                 /* nothing of the above is due: is lkmd idle? */
        LOOP_CONNECTIONS = 20,          /* which sockets of clients are readable or writable */
        LOOP_CLIENTS = 21,              /* one call of an admin, one of another user */
};
