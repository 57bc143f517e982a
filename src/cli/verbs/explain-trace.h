/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/explanation.h"
#include "cli/print/output.h"

int explain_print_trace(const Output *out, const Explanation *q);
