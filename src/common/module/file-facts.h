/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/module/module-fault.h"
#include "common/module/module-info.h"

/*
 * FileFacts: what policies and plans ask about module files. Each file is read once, and again when its device, inode,
 * size or time of change differs. Outlives policies and indexes.
 */
typedef struct FileFacts FileFacts;

/* Reading a compressed file means decompressing it: milliseconds for most, a second for the largest. */
typedef enum FileFactsEffort {
        FACTS_KNOWN,                    /* only what is known already */
        FACTS_READ_UNUSUAL,             /* read files that do not come with the kernel */
        FACTS_READ,                     /* read every file */
} FileFactsEffort;

int file_facts_new(FileFacts **ret);
FileFacts *file_facts_free(FileFacts *f);
DEFINE_CLEANUP(FileFacts, file_facts_free);

/* A policy_facts_t; @userdata is a FileFacts. The result is valid until the next call for the same path. */
const ModuleFacts *file_facts_get(const char *path, void *userdata);

const char *file_facts_name(FileFacts *f, const char *path, FileFactsEffort effort);
bool file_facts_tell_name(FileFacts *f, const char *path);
int file_facts_check(FileFacts *f, const char *path, FileFactsEffort effort, ModuleFault *ret);
