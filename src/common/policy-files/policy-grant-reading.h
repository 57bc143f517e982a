/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/policy-files/policy-reading.h"

/*
 * PolicyGrantReading: the keys that only grants have, in the file that lkmd writes (POLICY_FILE_GRANTS). An entry
 * with an error is left out, and the others hold.
 */

int policy_read_given(PolicyReading *r, const YamlNode *value, int argument);
int policy_read_by(PolicyReading *r, const YamlNode *value, int argument);
int policy_read_uptime(PolicyReading *r, const YamlNode *value, int argument);
int policy_read_boot(PolicyReading *r, const YamlNode *value, int argument);
int policy_finish_grant(PolicyReading *r, const YamlNode *where);
