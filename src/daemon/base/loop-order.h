/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * In which order the loop does what is due: of all that is ready, what stands further up goes first, and each turn
 * asks anew. So nothing that clients do can hold up what stands above them for longer than one call takes. A defer
 * source that is on all the time would starve others of its own place; that of clients has a place to itself.
 */
enum {
        LOOP_SIGNALS = -200,
        LOOP_FILES = -110,              /* what a question is answered by has to be read before it is answered */
        LOOP_LOADER = -100,             /* outcomes before new work: they make room for it */
        LOOP_EVENTS = 0,                /* uevents, the intake, slices of the coldplug, jobs, timers */
        LOOP_EVENT_GAPS = 5,
        LOOP_LULL = 10,                 /* nothing of the above is due: is lkmd idle? */
        LOOP_CONNECTIONS = 20,          /* what sockets of clients have to say is noted */
        LOOP_CLIENTS = 21,              /* one call of an admin, one of somebody else */
};
