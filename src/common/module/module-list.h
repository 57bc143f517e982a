/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* ModuleList: is a module one of those that a setting names? */
bool module_list_contains(const char *list, const char *module);
