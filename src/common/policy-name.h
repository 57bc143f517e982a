/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "common/index.h"
#include "common/policy.h"

/* What the policy says of modules by their names alone: what holds of it also without lkmd. */

int policy_list_denied_names(const Policy *p, const Index *index, uint64_t now_usec, char **ret);
