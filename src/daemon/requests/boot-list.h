/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>
#include <systemd/sd-json.h>

#include "common/base/problem-list.h"
#include "common/base/util.h"
#include "common/device/device-facts.h"
#include "daemon/config/charge.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/counters.h"
#include "daemon/planning/planner.h"

/*
 * BootList: makes the requests of the boot: modules_load= of the kernel command line, and modules-load.d(5). What
 * finds no device is tried again when one comes that it is for.
 */
typedef struct BootList BootList;

typedef struct BootListOptions {        /* all borrowed but the event loop */
        sd_event *event;
        Scheduler *scheduler;
        const Planner *planner;
        const Charge *charge;
        Counters *counters;
        const char *root;               /* prefix of the lists, for tests; NULL: none */
        const char *state_file;         /* NULL: none */
        bool is_late;                   /* the boot has been without lkmd so far */
        void (*changed)(void *userdata); /* boot_list_get_progress() may say something else now */
        void *userdata;
} BootListOptions;

int boot_list_new(BootList **ret, const BootListOptions *options);
BootList *boot_list_free(BootList *b);
DEFINE_CLEANUP(BootList, boot_list_free);

typedef enum BootListProgress {
        BOOT_LIST_UNDER_WAY,
        BOOT_LIST_SETTLED,              /* each entry has an outcome, or waits for its device */
        BOOT_LIST_LEFT,                 /* to systemd-modules-load, by a boot that began without lkmd */
        BOOT_LIST_PREVENTED,            /* lkmd is not in charge, or has no index */
} BootListProgress;

void boot_list_begin(BootList *b);
BootListProgress boot_list_get_progress(const BootList *b);
bool boot_list_is_idle(const BootList *b);
void boot_list_note_bound(BootList *b, const Index *index, const char *driver);
void boot_list_note_live(BootList *b, const char *module);
void boot_list_device(BootList *b, const Index *index, const DeviceFacts *facts);

int boot_list_describe_waiting(const BootList *b, sd_json_variant **ret);
const ProblemList *boot_list_get_problems(const BootList *b);
const ProblemList *boot_list_get_watch_problems(const BootList *b);
