/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "common/index/index.h"

/* IndexSaver: writes the image of an index without keeping anybody waiting. */
typedef struct IndexSaver IndexSaver;

/* Called when an image was written. */
typedef void (*index_saved_t)(void *userdata);

int index_saver_new(IndexSaver **ret, sd_event *event, const char *dir, const char *module_root,
                    index_saved_t saved, void *userdata);
IndexSaver *index_saver_free(IndexSaver *s);
DEFINE_CLEANUP(IndexSaver, index_saver_free);

void index_saver_save(IndexSaver *s, const Index *index);
