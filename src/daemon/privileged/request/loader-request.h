/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "daemon/privileged/request/loader-protocol.h"
#include "daemon/privileged/request/loader-words.h"

/*
 * LoaderRequest: takes packets of the manager, which may be in the hands of anybody. For lkmd-loader and
 * lkmd-command.
 */
int loader_check_request(const LoaderRequest *request, size_t size);
int loader_receive(int fd, LoaderRequest *request, size_t *ret_size, int *ret_client_fd);
int loader_request_prove(const LoaderPlaces *places, const LoaderRequest *request, int client_fd,
                         LoaderRefusal *ret_refusal);
