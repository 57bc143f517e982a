/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "common/index/index.h"
#include "common/policy/policy.h"

/* DeniedNames: what the policy denies by name alone, so that it can hold without lkmd. */

int denied_names_list(const Policy *p, const Index *index, uint64_t now_usec, char **ret);
