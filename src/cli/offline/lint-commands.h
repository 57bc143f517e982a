/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* The commands of install and remove lines. */
int lint_commands(Lint *l);

bool command_only_loads(const char *command); /* it is modprobe or insmod and nothing else */
