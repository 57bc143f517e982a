/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"

/*
 * FileWatch: reports that files which were read may have changed, also files and directories that do not exist yet,
 * and everything that the paths to them lead through.
 */
typedef struct FileWatch FileWatch;
typedef void (*file_watch_changed_t)(void *userdata);

int file_watch_new(FileWatch **ret, sd_event *event, file_watch_changed_t changed, void *userdata);
FileWatch *file_watch_free(FileWatch *w);
DEFINE_CLEANUP(FileWatch, file_watch_free);

int file_watch_add(FileWatch *w, const char *path, const char *name_prefix, const char *name_suffix);
void file_watch_refresh(FileWatch *w);
void file_watch_look(FileWatch *w);
const ProblemList *file_watch_get_problems(const FileWatch *w);
