/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/print/output.h"

int run_there(Output *out, const char *host, char *const *argv, int end);
