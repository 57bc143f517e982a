/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/*
 * NameGlob: globs of module names in policies and settings; '-' and '_' are one letter, also inside of [..].
 */
const char *name_glob_check(const char *glob);
bool name_glob_normalize(const char *text, char *to);
