/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HandoverDevices: announces devices to udev that nobody has handled. */
int handover_announce_devices(void);
