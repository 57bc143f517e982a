/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/privileged/request/loader-protocol.h"

/* Refusal: explains a refusal of lkmd-loader. Return: 0; -ENOMEM. */
int refusal_text(LoaderRefusal why, const char *module, char **ret_message, char **ret_hint);
