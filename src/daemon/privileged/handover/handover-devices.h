/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The devices that nobody has looked after are announced to udev once more. */
int handover_announce_devices(void);
