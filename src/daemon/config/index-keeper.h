/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"
#include "common/index/index.h"
#include "common/index/lookup-cache.h"

/* IndexKeeper: the snapshot in force, always as new as its files. */
typedef struct IndexKeeper IndexKeeper;

/* Called after the index was replaced. @became_complete: the one before was not complete. */
typedef void (*index_swapped_t)(bool became_complete, void *userdata);

/* Called after the files were read, whether the index was replaced or not. */
typedef void (*index_read_t)(void *userdata);

typedef struct IndexKeeperOptions {
        sd_event *event;
        const char *root;               /* prefix of /lib/modules; NULL: none */
        const char *image_dir;          /* NULL: images are neither used nor written */
        index_swapped_t swapped;
        index_read_t read;
        void *userdata;
} IndexKeeperOptions;

int index_keeper_new(IndexKeeper **ret, const IndexKeeperOptions *options);
IndexKeeper *index_keeper_free(IndexKeeper *k);
DEFINE_CLEANUP(IndexKeeper, index_keeper_free);

const Index *index_keeper_get(IndexKeeper *k);
LookupCache *index_keeper_get_cache(const IndexKeeper *k);
uint64_t index_keeper_get_generation(const IndexKeeper *k);
int index_keeper_rebuild(IndexKeeper *k);
void index_keeper_settle(IndexKeeper *k);
const Problem *index_keeper_get_unread(const IndexKeeper *k);
const ProblemList *index_keeper_get_problems(const IndexKeeper *k);
const ProblemList *index_keeper_get_watch_problems(const IndexKeeper *k);
