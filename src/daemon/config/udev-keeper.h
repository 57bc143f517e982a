/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"
#include "common/device/udev-rules.h"

/* UdevKeeper: what the administrator told udev about drivers, always as new as the files. */
typedef struct UdevKeeper UdevKeeper;

/* Called after another reading said something else. */
typedef void (*udev_keeper_changed_t)(void *userdata);

int udev_keeper_new(UdevKeeper **ret, sd_event *event, const char *root, udev_keeper_changed_t changed,
                    void *userdata);
UdevKeeper *udev_keeper_free(UdevKeeper *k);
DEFINE_CLEANUP(UdevKeeper, udev_keeper_free);

void udev_keeper_rebuild(UdevKeeper *k);
const UdevRules *udev_keeper_get(UdevKeeper *k);
const char *udev_keeper_get_own_rule(UdevKeeper *k);
const ProblemList *udev_keeper_get_watch_problems(const UdevKeeper *k);
