/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/loader/loader-output.h"
#include "daemon/privileged/loader/loader-protocol.h"

/* LoaderCommand: looks up an install or remove line of modprobe.d and runs it. */
int loader_command(const LoaderRequest *request, LoaderRefusal *ret_refusal, int *ret_status,
                   LoaderOutput *ret_output);
char *loader_expand_options(const char *command, const char *options);
