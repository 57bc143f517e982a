/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/ledger.h"
#include "daemon/history/monitors.h"
#include "daemon/history/requester.h"

/*
 * ForeignLoads: modules that came or went without lkmd, by insmod, modprobe, the initramfs, or before lkmd started.
 * They get a record in the ledger like all others, so that each module in the kernel has one.
 */
typedef struct ForeignLoads ForeignLoads;

/*
 * Who has loaded a module, as the gate has seen it. Return: 1 with a reference in *@ret; 0: not known; negative
 * errno.
 */
typedef int (*foreign_find_loader_t)(const char *module, Requester **ret, void *userdata);

/* Is the module denied, whoever asks? *@ret is borrowed until the event loop goes on. */
typedef bool (*foreign_denies_t)(const char *module, PolicyRuling *ret, void *userdata);

typedef struct ForeignLoadsOptions {
        Ledger *ledger;
        const Scheduler *scheduler;
        Monitors *monitors;
        foreign_denies_t denies;
        foreign_find_loader_t find_loader; /* NULL: it is never known */
        void *userdata;
        bool follows_initramfs;         /* the lkmd before this one ran there: the boot has gone on without it */
} ForeignLoadsOptions;

int foreign_loads_new(ForeignLoads **ret, const ForeignLoadsOptions *options);
ForeignLoads *foreign_loads_free(ForeignLoads *f);
DEFINE_CLEANUP(ForeignLoads, foreign_loads_free);

RequestOrigin foreign_loads_origin(const ForeignLoads *f);
void foreign_loads_found(ForeignLoads *f, const char *module, RequestOrigin origin);
void foreign_loads_job_ended(ForeignLoads *f);
void foreign_loads_gone(ForeignLoads *f, const char *module);
void foreign_loads_compare(ForeignLoads *f);
