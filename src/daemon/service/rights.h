/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-varlink.h>

#include "daemon/clients/peer.h"

/* Rights: who may call which method, and with which flags. */
int rights_check(const Peer *peer, sd_varlink *link, const char *method, sd_varlink_method_flags_t flags);
