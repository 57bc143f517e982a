/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/call/run.h"
#include "cli/picture/loads.h"

/* What the verbs about a boot begin and end with. */
int loads_fetch(Run *run, History *ret_history, Loads *ret);
int loads_print_json(Run *run, const Loads *loads);
void loads_print_left_out(const Run *run, const Loads *loads, const char *verb);
