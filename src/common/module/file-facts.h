/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/module/module-info.h"

/*
 * FileFacts: what policies ask about modules' files, read once for each and remembered as long as the file is
 * the same (device, inode, size, time of change). Outlives policies and indexes.
 */
typedef struct FileFacts FileFacts;

int file_facts_new(FileFacts **ret);
FileFacts *file_facts_free(FileFacts *f);
DEFINE_CLEANUP(FileFacts, file_facts_free);

/* A policy_facts_t; @userdata is a FileFacts. What it gives is good until the next call for the same path. */
const ModuleFacts *file_facts_get(const char *path, void *userdata);
