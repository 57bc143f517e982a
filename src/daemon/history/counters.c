/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Counters: how often things happened since the start, and how long they took. A plain structure of fixed size, so
 * that counting cannot fail. Durations go into a histogram for each phase, whose buckets range from the duration
 * of a look-up to one that an administrator worries about.
 */

#include "daemon/history/counters.h"

#include <assert.h>

#include "common/base/util.h"

/* Upper bounds. What took longer than the last bound is only in the total count. */
static const uint64_t bucket_usec[PHASE_BUCKETS] = {
        100, 1000, 10000, 50000, 100000, 500000, 1000000, 5000000, 10000000, 60000000,
};

static const char *const phase_names[_COUNTER_PHASE_MAX] = {
        [PHASE_EVENT] = "event", [PHASE_PLAN] = "plan",     [PHASE_QUEUE] = "queue",
        [PHASE_LOAD] = "load",   [PHASE_UNLOAD] = "unload",
};

const char *counter_phase_to_string(CounterPhase phase) {
        assert(phase < _COUNTER_PHASE_MAX);

        return phase_names[phase];
}

/* The upper bound of a bucket. */
uint64_t phase_bucket_usec(size_t bucket) {
        assert(bucket < PHASE_BUCKETS);

        return bucket_usec[bucket];
}

/* Count one pass through a phase, with its duration. */
void counters_add_time(Counters *c, CounterPhase phase, uint64_t usec) {
        PhaseTimes *p;

        assert(c && phase < _COUNTER_PHASE_MAX);

        p = c->phases + phase;
        p->count++;
        p->sum_usec += usec;
        for (size_t i = 0; i < PHASE_BUCKETS; i++)
                if (usec <= bucket_usec[i]) {
                        p->buckets[i]++;
                        return;
                }
}

/* Note the number of jobs that are queued now. */
void counters_note_queue(Counters *c, size_t n_queued) {
        assert(c);

        c->queue_high_water = MAX(c->queue_high_water, (uint64_t) n_queued);
}

/*
 * Count a finished job. Only successes have their duration counted: failures say nothing about how long loading
 * takes.
 */
void counters_note_outcome(Counters *c, const Record *record) {
        bool removal;

        assert(c && record);

        switch (record->outcome) {
        case OUTCOME_LOADED:
        case OUTCOME_COMMAND_RUN:
        case OUTCOME_UNLOADED:
                removal = record->removal;
                *(removal ? &c->unloads : &c->loads) += 1;
                counters_add_time(c, removal ? PHASE_UNLOAD : PHASE_LOAD, record->duration_usec);
                break;
        case OUTCOME_FAILED:
                c->failures++;
                break;
        case OUTCOME_KEPT_OUT:
                c->kept_out++;
                break;
        default:                        /* nothing was done */
                break;
        }
}
