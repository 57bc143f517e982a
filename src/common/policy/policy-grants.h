/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/boot-moment.h"
#include "common/base/problem-list.h"
#include "common/policy/policy-file.h"

/* PolicyGrants: what holds for the grants of a file (POLICY_FILE_GRANTS), in lkmd after a restart and in lkmctl. */

/* What is wrong with it, static; NULL: nothing. */
const char *policy_grant_check_reason(const char *reason);

/* Takes out what is over by the boot's clock, or cannot be told to be of this boot. */
int policy_grants_settle(PolicyFile *f, const BootMoment *now, ProblemList *problems);
