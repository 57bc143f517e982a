/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/policy-files/policy-reading.h"

/*
 * What is said of grants alone, in the file that lkmd writes for them (POLICY_FILE_GRANTS). An entry that is not fit
 * costs itself and nothing else.
 */

int policy_read_given(PolicyReading *r, const YamlNode *value, int argument);
int policy_read_by(PolicyReading *r, const YamlNode *value, int argument);
int policy_read_uptime(PolicyReading *r, const YamlNode *value, int argument);
int policy_read_boot(PolicyReading *r, const YamlNode *value, int argument);
int policy_finish_grant(PolicyReading *r, const YamlNode *where);
