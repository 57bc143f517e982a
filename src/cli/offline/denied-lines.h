/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/offline/offline-policy.h"
#include "common/index/index.h"

/* DeniedLines: what a policy denies by name, as lines of modprobe.d, for where lkmd is not. */
int denied_lines_new(const OfflinePolicy *policy, const Index *index, char **ret);
