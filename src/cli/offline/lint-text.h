/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* @ret_garbled: its lines are not what anybody wrote; more findings about them would not help. */
int lint_text(Lint *l, const char *file, const char *text, size_t size, bool *ret_garbled);
