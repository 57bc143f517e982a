/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/util.h"

/* RootReader: has lkmd-reader open what lkmd has to read and only root may. */
typedef struct RootReader RootReader;

/* What failed for want of lkmd-reader should be read again. */
typedef void (*root_reader_retry_t)(void *userdata);

int root_reader_new(RootReader **ret, sd_event *event, const char *address, root_reader_retry_t retry,
                    void *userdata);
RootReader *root_reader_free(RootReader *r);
DEFINE_CLEANUP(RootReader, root_reader_free);

bool root_reader_is_in_trouble(const RootReader *r);
