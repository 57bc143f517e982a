/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ModaliasSubsystem: to which subsystem a device with this modalias belongs. NULL: to one of several. */
const char *modalias_subsystem(const char *modalias);
