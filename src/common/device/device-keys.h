/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "common/device/device-facts.h"

#define DEVICE_KEYS_MAX 4U

size_t device_keys(const DeviceFacts *facts, const char *ret[static DEVICE_KEYS_MAX]);
