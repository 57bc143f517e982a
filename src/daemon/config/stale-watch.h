/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"

/* StaleWatch: knows whether files have changed since they were read, and when they have stopped changing. */
typedef struct StaleWatch StaleWatch;

/* The files have changed, and then not for a while: to be read now if nobody needed them before. */
typedef void (*stale_watch_quiet_t)(void *userdata);

int stale_watch_new(StaleWatch **ret, sd_event *event, stale_watch_quiet_t quiet, void *userdata);
StaleWatch *stale_watch_free(StaleWatch *w);
DEFINE_CLEANUP(StaleWatch, stale_watch_free);

int stale_watch_add(StaleWatch *w, const char *path, const char *name_prefix, const char *name_suffix);
void stale_watch_refresh(StaleWatch *w);
bool stale_watch_is_stale(StaleWatch *w);
const ProblemList *stale_watch_get_problems(const StaleWatch *w);
