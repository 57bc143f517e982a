/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* DenyCommand: does an install line only keep the module out? */
bool command_is_denial(const char *command);
