/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/policy-files/policy-reading.h"

/* PolicyIdle: the key "idle-unload" of a rule. Internal to the schema. */
int policy_read_idle_unload(PolicyReading *r, const YamlNode *value, int argument);
