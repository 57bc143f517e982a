/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/policy-files/yaml-reader.h"
#include "common/policy/policy-file.h"

/* PolicySchema: the keys of the files of policies, and what they may contain. */
int policy_schema_read(PolicyFile *f, YamlReader *yaml);
