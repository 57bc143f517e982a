/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* '-' and '_' are one letter in names of modules, except inside of [..]. */
bool name_normalize(char *name, size_t length);
bool name_normalize_in_place(char *name);
