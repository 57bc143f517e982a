/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/reasons/inquiry.h"

/* CauseKernel: what the kernel would not take, as its state and the file show before it is tried. */

int cause_of_kernel(const Inquiry *q, Cause *ret);
int cause_of_symbols(const Inquiry *q, Cause *ret);
