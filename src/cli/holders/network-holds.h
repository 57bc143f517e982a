/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/holders/subject.h"

/* NetworkHolds: interfaces of a module, and their queueing disciplines, in all network name spaces. */
int network_holds_find(Subject *s);
