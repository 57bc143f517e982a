/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* Reads modprobe.d once more, and looks at each file, each line and what is not read. */
int lint_files(Lint *l);
