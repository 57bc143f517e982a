/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* '-' and '_' are one letter in names of modules, except inside of [..]. */
bool name_normalize_in_place(char *name);
