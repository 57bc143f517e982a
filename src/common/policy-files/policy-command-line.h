/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/problem-list.h"
#include "common/policy/policy-file.h"

/* The rules that a kernel command line has, as a file of its own. What is wrong is left out, and said. */
int policy_command_line_parse(PolicyFile **ret, const char *text, ProblemList *problems);
