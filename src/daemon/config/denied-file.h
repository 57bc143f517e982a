/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "common/base/util.h"
#include "common/index/index.h"
#include "common/policy/policy.h"
#include "common/settings/settings.h"
#include "daemon/config/charge.h"
#include "daemon/config/index-keeper.h"
#include "daemon/config/policy-keeper.h"

/* DeniedFile: the names that the policy denies, in a file for lkmd-handover that is written whenever they change. */
typedef struct DeniedFile DeniedFile;

int denied_file_new(DeniedFile **ret, const char *path);
DeniedFile *denied_file_free(DeniedFile *d);
DEFINE_CLEANUP(DeniedFile, denied_file_free);

void denied_file_follow(DeniedFile *d, PolicyKeeper *policy, IndexKeeper *index, const Charge *charge,
                        const Settings *settings);
int denied_file_update(DeniedFile *d, const Policy *policy, const Index *index, const Settings *settings,
                       uint64_t now_usec);
