/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* A line of modprobe.d that is no comment. @counts: it is a complete one of a known directive */
int lint_line(Lint *l, const char *file, unsigned line, const char *text, bool counts);
