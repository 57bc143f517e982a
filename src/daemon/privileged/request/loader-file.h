/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "daemon/privileged/request/loader-protocol.h"

/* LoaderFile: the file of a module that a request names, opened if it may be loaded. */
int loader_open_module(const char *base, const char *path);
bool loader_file_is_called(const char *path, const char *module);
int loader_open_requested(const LoaderRequest *request, LoaderRefusal *ret_refusal);
