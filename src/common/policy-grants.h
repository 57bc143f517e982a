/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/boot-moment.h"
#include "common/policy-file.h"

/*
 * What is said of grants alone, in the file that lkmd writes for them (POLICY_FILE_GRANTS), for whoever reads it: lkmd
 * after a restart, and lkmctl. An entry that is not fit costs itself and nothing else.
 */

/* What is wrong with it, static; NULL: nothing. */
const char *policy_grant_check_reason(const char *reason);

/* Takes out what is over by the boot's clock, or cannot be told to be of this boot. */
int policy_grants_settle(PolicyFile *f, const BootMoment *now, ProblemList *problems);
