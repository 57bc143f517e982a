/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/history/record.h"

/* Counters: how often things happened since the start, and how long they took. */

typedef enum CounterPhase {             /* names are those of the varlink enum Phase */
        PHASE_EVENT,                    /* a uevent, from its arrival until it was processed */
        PHASE_PLAN,                     /* look-up and plan of a request */
        PHASE_QUEUE,                    /* a job, from its submission until it goes to the loader */
        PHASE_LOAD,                     /* inside the kernel, or in the install command */
        PHASE_UNLOAD,                   /* inside the kernel, or in the remove command */
        _COUNTER_PHASE_MAX,
} CounterPhase;

#define PHASE_BUCKETS 10U

typedef struct PhaseTimes {
        uint64_t count, sum_usec;
        uint64_t buckets[PHASE_BUCKETS]; /* not cumulative; bounds: phase_bucket_usec() */
} PhaseTimes;

typedef struct Counters {               /* names of the varlink type Counters */
        uint64_t events;                /* uevents of the kernel */
        uint64_t coalesced;             /* repeated events of one device that were processed as one */
        uint64_t lost;                  /* times that events got lost */
        uint64_t backed_off;            /* events held back, of devices that keep coming and going */
        uint64_t rescans;               /* walks over /sys after the first */
        uint64_t coldplug_devices;      /* devices processed in walks over /sys */
        uint64_t lookups;               /* in the index, for devices and for clients */
        uint64_t requests; /* of clients, and of devices for which there was something to do */
        uint64_t loads, unloads; /* jobs, commands of modprobe.d included */
        uint64_t joins; /* submissions that found their job under way */
        uint64_t failures; /* jobs */
        uint64_t kept_out; /* jobs whose install command ended with an error */
        uint64_t slow; /* jobs that took longer than SlowLoadSec= */
        uint64_t queue_high_water; /* most jobs queued at once */
        uint64_t denied;                /* modules left out of requests, because of the policy or modprobe.d */
        uint64_t would_deny;            /* modules that would be left out if rules in audit mode were enforced */
        uint64_t
                gate_refused; /* requests and sockets that the gate in the kernel refused, as far as it has told */
        uint64_t gate_lost;             /* events of the gate that had no room */
        PhaseTimes phases[_COUNTER_PHASE_MAX];
} Counters;

void counters_add_time(Counters *c, CounterPhase phase, uint64_t usec);
void counters_note_queue(Counters *c, size_t n_queued);
void counters_note_outcome(Counters *c, const Record *record);

uint64_t phase_bucket_usec(size_t bucket);
const char *counter_phase_to_string(CounterPhase phase);
