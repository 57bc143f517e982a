/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "daemon/loader-protocol.h"

int loader_open_module(const char *base, const char *path);
int loader_check_request(const LoaderRequest *request, size_t size);
int loader_run(int listen_fd);
