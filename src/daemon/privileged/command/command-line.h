/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/request/loader-protocol.h"

/* CommandLine: the install or remove line of modprobe.d for a module, ready for the shell. */
int command_line_find(const LoaderRequest *request, char **ret, LoaderRefusal *ret_refusal);
char *command_line_expand(const char *command, const char *options);
