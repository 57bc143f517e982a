/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "daemon/planning/planner.h"

/*
 * LoadedDenied: modules that are loaded although the policy denies them, since they were loaded before it did.
 */
typedef struct LoadedDenied LoadedDenied;

int loaded_denied_new(LoadedDenied **ret, const Planner *planner);
LoadedDenied *loaded_denied_free(LoadedDenied *l);
DEFINE_CLEANUP(LoadedDenied, loaded_denied_free);

void loaded_denied_report(LoadedDenied *l);

/* @ruling is borrowed from policy and index. Return: 0 to go on, else what loaded_denied_list() returns. */
typedef int (*loaded_denied_t)(const char *module, const PolicyRuling *ruling, void *userdata);
int loaded_denied_list(const Planner *planner, loaded_denied_t each, void *userdata);
