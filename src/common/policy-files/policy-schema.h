/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/policy-files/yaml-reader.h"
#include "common/policy/policy-file.h"

/* What may stand in a file of its kind, where. Fills in @f; for policy-parse.c. */
int policy_schema_read(PolicyFile *f, YamlReader *yaml);
