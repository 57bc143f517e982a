/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"
#include "common/modprobe/load-list.h"

/*
 * BootEntries: what is listed to be loaded at boot, and what has become of each entry. They are kept in a file, so
 * that an lkmd that is started again goes on where the one before it ended.
 */
typedef enum BootEntryState {
        BOOT_ENTRY_PENDING,             /* it has no outcome yet */
        BOOT_ENTRY_WAITING,             /* for its device, which its module did not find */
        BOOT_ENTRY_DONE,                /* loaded, refused or failed: not tried again */
        _BOOT_ENTRY_STATE_MAX,
        _BOOT_ENTRY_STATE_INVALID = -EINVAL,
} BootEntryState;

typedef struct BootEntry BootEntry;
struct BootEntry {
        char *name;                     /* as listed */
        char *file;                     /* as in LoadEntry */
        unsigned line;
        BootEntryState state;
        char *module;                   /* BOOT_ENTRY_WAITING: that found no device, by the name of its file */
        uint64_t since_usec;            /* likewise, CLOCK_REALTIME */
        struct BootRun *run;            /* of boot-list.c; NULL: none is under way */
        bool has_device;                /* one has come that it may be for */
        uint64_t retry_usec;            /* CLOCK_MONOTONIC: not tried again before */
        unsigned n_retries;
        TAILQ_ENTRY(BootEntry) next;
};

typedef struct BootEntries {
        TAILQ_HEAD(BootEntryList, BootEntry) list; /* in the order of the lists */
        size_t n;
} BootEntries;

void boot_entries_init(BootEntries *e);
void boot_entries_clear(BootEntries *e);
int boot_entries_add(BootEntries *e, const LoadEntry *listed);
int boot_entry_wait(BootEntry *entry, const char *module, uint64_t now_usec);
void boot_entry_end(BootEntry *entry);
int boot_entry_to_json(const BootEntry *entry, sd_json_variant **ret);

int boot_entries_read(BootEntries *e, const char *path);
int boot_entries_write(const BootEntries *e, const char *path);
