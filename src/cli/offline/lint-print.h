/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* The findings, then what was looked at; as text or as JSON. */
int lint_print(Lint *l);
