/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "daemon/privileged/loader/loader-protocol.h"

/* LoaderModule: the two system calls. */

int loader_open_module(const char *base, const char *path);
bool loader_file_is_called(const char *path, const char *module);
int loader_insert(const LoaderRequest *request, LoaderRefusal *ret_refusal);
int loader_remove(const LoaderRequest *request);

void loader_contexts_free(void);
