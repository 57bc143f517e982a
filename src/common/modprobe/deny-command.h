/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* Is an install line nothing but the wish that the module stays out? */
bool command_is_denial(const char *command);
