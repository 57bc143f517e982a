/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/call/run.h"
#include "common/base/limits.h"
#include "common/index/index.h"

bool suggestion_from_file(const char *key, char ret[static MODULE_NAME_MAX + 1]);
int suggestion_find(const Index *index, const char *key, char **ret);
int suggestion_add(Run *run, const char *error_id, const char *key, sd_json_variant **fields);
