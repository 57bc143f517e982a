/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/module/module-info.h"

/*
 * FileFacts: what policies ask about module files. Each file is read once, and again when its device, inode,
 * size or time of change differs. Outlives policies and indexes.
 */
typedef struct FileFacts FileFacts;

int file_facts_new(FileFacts **ret);
FileFacts *file_facts_free(FileFacts *f);
DEFINE_CLEANUP(FileFacts, file_facts_free);

/* A policy_facts_t; @userdata is a FileFacts. The result is valid until the next call for the same path. */
const ModuleFacts *file_facts_get(const char *path, void *userdata);
