/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* Options of modules: of modprobe.d, and of the kernel command line. */
int lint_options(Lint *l);
