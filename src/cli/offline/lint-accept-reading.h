/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/lint.h"

/* What somebody has accepted; what cannot be understood of it is a finding. */
int acceptances_read_dirs(Lint *l);
int acceptances_read_line(Lint *l, const char *file, unsigned line,
                          const char *text); /* of modprobe.d, not empty */
