/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* DeviceArgument: whether an argument that can be a module or a device is the latter. */
int device_argument_is(const char *argument);
