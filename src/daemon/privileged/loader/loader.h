/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "daemon/privileged/loader/loader-protocol.h"
#include "daemon/privileged/loader/loader-words.h"

int loader_check_request(const LoaderRequest *request, size_t size);
int loader_run(int listen_fd);
