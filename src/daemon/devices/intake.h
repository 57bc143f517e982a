/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/devices/uevent.h"
#include "daemon/history/counters.h"

/*
 * Intake: merges repeated events of a device into one, and passes a device that keeps coming and going on at longer
 * and longer intervals.
 */
typedef struct Intake Intake;

/*
 * A device is held back from now on: it sent @n_events events within the window; the next is passed on in
 * @hold_usec.
 */
typedef void (*intake_noisy_t)(const char *device, unsigned n_events, uint64_t hold_usec, void *userdata);

typedef struct IntakeOptions {
        sd_event *event;
        Counters *counters;             /* borrowed: coalesced, backed_off, PHASE_EVENT */
        device_seen_t seen;
        intake_noisy_t noisy;
        void *userdata;
        uint64_t window_usec;           /* 0: what INTAKE_* says, for this and the following */
        unsigned noisy_events;
        uint64_t hold_usec, hold_max_usec;
} IntakeOptions;

int intake_new(Intake **ret, const IntakeOptions *options);
Intake *intake_free(Intake *i);
DEFINE_CLEANUP(Intake, intake_free);

int intake_put(Intake *i, const DeviceFacts *facts, const char *device);

bool intake_is_idle(const Intake *i);
