/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/policy-files/policy-reading.h"

int policy_read_options(PolicyReading *r, const YamlNode *value, int argument);
int policy_read_parameters(PolicyReading *r, const YamlNode *value, int argument);
