/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "daemon/privileged/gate/gate-layout.h"

/* GateRing: the manager's end of the ring buffer of the programs in the kernel. */
typedef struct GateRing GateRing;

typedef void (*gate_ring_event_t)(const GateEvent *event, void *userdata);

int gate_ring_new(GateRing **ret, int fd, size_t size_bytes);
GateRing *gate_ring_free(GateRing *r);
DEFINE_CLEANUP(GateRing, gate_ring_free);

size_t gate_ring_read(GateRing *r, size_t max, gate_ring_event_t on_event, void *userdata);
