/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/history/requester.h"
#include "daemon/privileged/gate/gate-layout.h"

/* GateRequester: from an event of the gate to the process that it is about. */

int gate_requester_new(Requester **ret, const GateEvent *event, const char *root);
