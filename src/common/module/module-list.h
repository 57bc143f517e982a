/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* Is a module one of those that a setting names? */
bool names_match(const char *list, const char *module);
