/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the devices of a module's drivers come from: lkmd asks for them as well. */
#include "common/device/module-devices.h"
