/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"
#include "common/base/problem-list.h"

/* LintAll: all that lint looks for. */
int lint_all(Lint *l, const ProblemList *problems);
size_t lint_count(const Lint *l);
