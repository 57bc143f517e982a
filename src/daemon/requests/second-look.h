/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-event.h>
#include <systemd/sd-json.h>

#include "common/base/util.h"
#include "daemon/config/charge.h"
#include "daemon/history/ledger.h"
#include "daemon/history/refused-devices.h"
#include "daemon/planning/planner.h"
#include "daemon/requests/autoload.h"

/*
 * SecondLook: devices without a driver for which a module was refused are looked at again when the refusal has gone.
 */
typedef struct SecondLook SecondLook;

typedef struct SecondLookOptions {      /* all borrowed but the event loop */
        sd_event *event;
        Autoload *autoload;
        const Planner *planner;
        const Ledger *ledger;
        const Charge *charge;           /* while lkmd is not in charge, udev loads drivers */
        void (*walk)(void *userdata);   /* there were too many: all devices have to be looked at */
        void *userdata;
        uint64_t answer_usec;           /* 0: SECOND_LOOK_USEC */
} SecondLookOptions;

int second_look_new(SecondLook **ret, const SecondLookOptions *options);
SecondLook *second_look_free(SecondLook *s);
DEFINE_CLEANUP(SecondLook, second_look_free);

void second_look_soon(SecondLook *s);
void second_look_now(SecondLook *s);

/* What became of the devices, as an array of the varlink type LookedAt; borrowed. */
typedef void (*second_look_over_t)(sd_json_variant *devices, void *userdata);

int second_look_await(SecondLook *s, second_look_over_t over, void *userdata);
void second_look_forget(SecondLook *s, void *userdata);

bool second_look_is_over(const SecondLook *s);
