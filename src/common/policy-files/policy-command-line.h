/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/problem-list.h"
#include "common/policy/policy-file.h"

/*
 * PolicyCommandLine: the rules of the kernel command line, as a PolicyFile. Words with errors are ignored, with a
 * problem.
 */
int policy_command_line_parse(PolicyFile **ret, const char *text, ProblemList *problems);
