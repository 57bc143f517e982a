/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/loader/loader-protocol.h"

/* LoaderCommand: an install or remove line of modprobe.d, looked up here and run. */
int loader_command(const LoaderRequest *request, LoaderRefusal *ret_refusal, int *ret_status);
char *loader_expand_options(const char *command, const char *options);
