/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The verbs of lkmctl. All return an ExitStatus, after reporting what is wrong; or a negative errno, which main()
 * reports.
 */

#include "cli/call/run.h"

#define VERB(function, ...) int function(Run *run, char **args, unsigned n_args);
#include "cli/usage/commands.inc"
