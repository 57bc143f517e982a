/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/call/run.h"
#include "common/index/index.h"

int suggestion_find(const Index *index, const char *key, char **ret);
int suggestion_add(Run *run, const char *error_id, const char *key, sd_json_variant **fields);
