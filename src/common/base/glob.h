/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* As fnmatch(3) with flags 0 in the C locale, for bytes; no pattern makes it slow. */
bool glob_match(const char *pattern, const char *string);
bool glob_match_head(const char **pattern, const char **string);
