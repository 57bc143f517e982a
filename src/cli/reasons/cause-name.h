/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/reasons/inquiry.h"

/* CauseName: why a name or an alias means nothing here. */

int cause_of_name(const Inquiry *q, Cause *ret);
