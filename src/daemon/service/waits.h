/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include "common/base/util.h"

/* Waits: the open calls of Wait. Each is answered when its conditions are met, or its time is over. */
typedef struct Waits Waits;
typedef bool (*waits_idle_t)(void *userdata);

/* What is listed to be loaded at boot. */
typedef enum WaitListsState {
        WAIT_LISTS_UNDER_WAY,
        WAIT_LISTS_SETTLED,
        WAIT_LISTS_LEFT,                /* lkmd does not load it */
} WaitListsState;
typedef WaitListsState (*waits_lists_t)(void *userdata);

int waits_new(Waits **ret, sd_event *event, waits_idle_t is_idle, void *userdata);
Waits *waits_free(Waits *w);
DEFINE_CLEANUP(Waits, waits_free);

void waits_set_lists(Waits *w, waits_lists_t look, void *userdata);

typedef struct WaitFor {                /* all conditions have to be met; strings are borrowed */
        bool idle, lists;
        const char *module;             /* normalised; NULL: none */
        const char *device;             /* path below /sys, without links; NULL: none */
        uint64_t timeout_usec;          /* from now, UINT64_MAX: no limit */
} WaitFor;

int waits_add(Waits *w, sd_varlink *link, const WaitFor *what);
void waits_remove(Waits *w, sd_varlink *link);
void waits_check_soon(Waits *w);
