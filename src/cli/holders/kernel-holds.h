/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/holders/subject.h"

/* KernelHolds: what uses a module inside the kernel. */
int kernel_holds_find(Subject *s);
