/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/reasons/inquiry.h"

/* CauseDevice: what keeps a device and a driver apart, beside the module. */

int cause_of_device(const Inquiry *q, Cause *ret);
int cause_of_probe(const Inquiry *q, Cause *ret);
