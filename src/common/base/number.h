/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Decimal digits only: no sign, no blanks. *@text is moved behind them. */
int number_take(const char **text, uint64_t max, uint64_t *ret);
