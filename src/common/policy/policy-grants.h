/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/boot-moment.h"
#include "common/base/problem-list.h"
#include "common/policy/policy-file.h"

/* PolicyGrants: what a grant has to have, and which grants of a file are still in force. */

/* Return: a static text that says what is wrong; NULL: nothing. */
const char *policy_grant_check_reason(const char *reason);

/* Removes grants that have ended by the clock of the boot, or are not known to be of this boot. */
int policy_grants_settle(PolicyFile *f, const BootMoment *now, ProblemList *problems);
