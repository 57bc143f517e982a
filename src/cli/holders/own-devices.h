/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/holders/subject.h"

/* OwnDevices: which character and block devices belong to a module. */
int own_devices_read(Subject *s);
