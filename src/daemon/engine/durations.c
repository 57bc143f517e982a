/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Durations: how long loads took, for the order of the scheduler. A hash table without collision handling: modules
 * that share a slot overwrite each other, since a wrong guess costs a little time and nothing else. So its size is
 * fixed.
 */

#include "daemon/engine/durations.h"

#include <assert.h>

#include "common/base/hash.h"
#include "common/base/util.h"

#define UNKNOWN_USEC (20U * 1000U)      /* about what half of all drivers take on a PC */

static uint32_t hash_name(const char *name) {
        uint32_t hash = hash_string(name);

        return hash != 0 ? hash : 1;
}

/* Note how long a load took. */
void durations_note(Durations *d, const char *module, uint64_t usec) {
        uint32_t hash = hash_name(module);

        assert(d);

        d->slots[hash % DURATION_SLOTS].hash = hash;
        d->slots[hash % DURATION_SLOTS].usec = (uint32_t) MIN(usec, (uint64_t) UINT32_MAX);
}

/* How long a load will probably take; a guess for a module that was never loaded. */
uint64_t durations_expect(const Durations *d, const char *module) {
        uint32_t hash = hash_name(module);

        assert(d);

        if (d->slots[hash % DURATION_SLOTS].hash != hash)
                return UNKNOWN_USEC;
        return MAX(d->slots[hash % DURATION_SLOTS].usec, 1U);
}
