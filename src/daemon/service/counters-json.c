/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CountersJson: the counters and the durations of the phases as types of the varlink interface. */

#include "daemon/service/counters-json.h"

#include <assert.h>

#include "common/base/util.h"

static const struct {
        const char *name;
        size_t offset;
} counter_fields[] = {
        { "events", offsetof(Counters, events) },
        { "coalesced", offsetof(Counters, coalesced) },
        { "lost", offsetof(Counters, lost) },
        { "backedOff", offsetof(Counters, backed_off) },
        { "rescans", offsetof(Counters, rescans) },
        { "coldplugDevices", offsetof(Counters, coldplug_devices) },
        { "lookups", offsetof(Counters, lookups) },
        { "requests", offsetof(Counters, requests) },
        { "loads", offsetof(Counters, loads) },
        { "unloads", offsetof(Counters, unloads) },
        { "joins", offsetof(Counters, joins) },
        { "failures", offsetof(Counters, failures) },
        { "keptOut", offsetof(Counters, kept_out) },
        { "slow", offsetof(Counters, slow) },
        { "queueHighWater", offsetof(Counters, queue_high_water) },
        { "denied", offsetof(Counters, denied) },
        { "wouldDeny", offsetof(Counters, would_deny) },
        { "gateRefused", offsetof(Counters, gate_refused) },
        { "gateLost", offsetof(Counters, gate_lost) },
};

/**
 * describe_counters() - the varlink type Counters
 *
 * Return: 0 or what sd-json says, as for all functions here.
 */
int describe_counters(const Counters *c, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *v = NULL;

        assert(c && ret);

        for (size_t i = 0; i < ARRAY_LEN(counter_fields); i++) {
                const uint64_t *value = (const void *) ((const char *) c + counter_fields[i].offset);
                int r = sd_json_variant_set_field_unsigned(&v, counter_fields[i].name, *value);

                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(v);
        return 0;
}

/* Cumulative as in OpenMetrics: each bucket counts all that took no longer than its bound. */
static int describe_buckets(const PhaseTimes *times, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
        uint64_t so_far = 0;

        for (size_t i = 0; i < PHASE_BUCKETS; i++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *bucket = NULL;
                int r;

                so_far += times->buckets[i];
                r = sd_json_buildo(&bucket, SD_JSON_BUILD_PAIR_UNSIGNED("leUSec", phase_bucket_usec(i)),
                                   SD_JSON_BUILD_PAIR_UNSIGNED("count", so_far));
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, bucket);
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(array);
        return 0;
}

/* An array of the varlink type PhaseTimes, also for phases that nothing went through yet. */
int describe_phases(const Counters *c, sd_json_variant **ret) {
        _cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;

        assert(c && ret);

        for (CounterPhase phase = 0; phase < _COUNTER_PHASE_MAX; phase++) {
                _cleanup_(sd_json_variant_unrefp) sd_json_variant *buckets = NULL, *v = NULL;
                const PhaseTimes *times = c->phases + phase;
                int r;

                r = describe_buckets(times, &buckets);
                if (r >= 0)
                        r = sd_json_buildo(
                                &v, SD_JSON_BUILD_PAIR_STRING("phase", counter_phase_to_string(phase)),
                                SD_JSON_BUILD_PAIR_UNSIGNED("count", times->count),
                                SD_JSON_BUILD_PAIR_UNSIGNED("sumUSec", times->sum_usec),
                                SD_JSON_BUILD_PAIR_VARIANT("buckets", buckets));
                if (r >= 0)
                        r = sd_json_variant_append_array(&array, v);
                if (r < 0)
                        return r;
        }

        *ret = STEAL_PTR(array);
        return 0;
}
