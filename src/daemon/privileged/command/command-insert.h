/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/request/loader-protocol.h"

/* CommandInsert: loads a module whose file the kernel cannot decompress. */
int command_insert(const LoaderRequest *request, LoaderRefusal *ret_refusal);
