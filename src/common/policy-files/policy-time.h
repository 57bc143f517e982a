/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* PolicyTime: a date, or a date with time and offset, as in "expires:" of a rule. */
int policy_time_parse(uint64_t *ret_usec, const char *text);
