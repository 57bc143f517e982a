/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/trail/trail-protocol.h"

/* Trail: what the manager says of requests becomes records of the kernel's audit subsystem. */

int trail_format(const TrailPacket *packet, char **ret);
int trail_serve(int connection_fd, int audit_fd);
