/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-json.h>

#include "cli/call/run.h"
#include "common/base/util.h"

/* LogGroups: entries of the log, put together by who asked, by module or by device. */
typedef struct LogGroups LogGroups;

int log_groups_new(LogGroups **ret, GroupBy by);
LogGroups *log_groups_free(LogGroups *g);
DEFINE_CLEANUP(LogGroups, log_groups_free);

int log_groups_add(LogGroups *g, sd_json_variant *entry);
int log_groups_print(LogGroups *g, Output *out);
