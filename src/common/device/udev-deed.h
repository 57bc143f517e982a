/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "common/device/udev-line.h"

/* UdevDeed: what udev does to a device that matters to its driver, told by the words of a rule. */
const char *udev_key_deed(const UdevKey *key, bool local);
