/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* Words of the kernel command line that are to keep modules out, and are not seen. */
int lint_kernel_line(Lint *l);
