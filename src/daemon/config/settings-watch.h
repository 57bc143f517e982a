/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"

/* SettingsWatch: notices that lkmd.conf has changed since it was read. */
typedef struct SettingsWatch SettingsWatch;

int settings_watch_new(SettingsWatch **ret, sd_event *event);
SettingsWatch *settings_watch_free(SettingsWatch *w);
DEFINE_CLEANUP(SettingsWatch, settings_watch_free);

void settings_watch_reading(SettingsWatch *w);
const ProblemList *settings_watch_get_problems(SettingsWatch *w);
