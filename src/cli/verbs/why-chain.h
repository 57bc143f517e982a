/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/history/ancestry.h"
#include "cli/machine/device-name.h"
#include "cli/print/output.h"

/* WhyChain: who wanted a module, and what came by what, as a tree. */

int why_chain_print(const Output *out, const Ancestry *cause, const DeviceNames *names);
char *why_device_name(const DeviceNames *names, const char *device);
