/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/reasons/inquiry.h"

/* CauseOutcome: what became of the load, or becomes of it: lkmd's record, and the kernel's log. */

int cause_of_outcome(const Inquiry *q, Cause *ret);
int outcome_of_earlier(const Inquiry *q, char **ret);
int cause_of_firmware(const Inquiry *q, Cause *ret);
int cause_of_charge(const Inquiry *q, Cause *ret);
int cause_of_stale_build(const Inquiry *q, Cause *ret);
