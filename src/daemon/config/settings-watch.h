/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"

/* SettingsWatch: notices that lkmd.conf has changed since it was read, or can be read at last. */
typedef struct SettingsWatch SettingsWatch;

/* Called when all files can be read, after some could not: they are to be read now. */
typedef void (*settings_watch_readable_t)(void *userdata);

int settings_watch_new(SettingsWatch **ret, sd_event *event, settings_watch_readable_t readable,
                       void *userdata);
SettingsWatch *settings_watch_free(SettingsWatch *w);
DEFINE_CLEANUP(SettingsWatch, settings_watch_free);

void settings_watch_reading(SettingsWatch *w);
void settings_watch_read(SettingsWatch *w, const ProblemList *problems);
const ProblemList *settings_watch_get_problems(SettingsWatch *w);
