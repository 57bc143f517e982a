/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/policy-files/policy-reading.h"

/* PolicyScope: the key "scope" of a rule, and what a rule about sockets may say. */
int policy_read_scope(PolicyReading *r, const YamlNode *value, int argument);
int policy_check_use(PolicyReading *r, const YamlNode *where);
