/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/base/util.h"
#include "common/settings/settings.h"
#include "daemon/base/root-reader.h"
#include "daemon/config/charge.h"
#include "daemon/config/index-keeper.h"
#include "daemon/config/udev-keeper.h"
#include "daemon/devices/coldplug.h"
#include "daemon/engine/scheduler.h"
#include "daemon/history/monitors.h"

/* Authority: decides whether lkmd is in charge, and says so to udev and to the journal. */
typedef struct Authority Authority;

typedef struct AuthorityOptions {       /* all borrowed */
        Charge *charge;
        Scheduler *scheduler;
        UdevKeeper *udev;
        const IndexKeeper *index;
        const Coldplug *coldplug;
        const RootReader *root_reader;
        const Settings *settings;
        Monitors *monitors;
        void (*stepped_in)(
                void *userdata); /* lkmd is in charge again: nobody has looked at the devices meanwhile */
        void *userdata;
} AuthorityOptions;

int authority_new(Authority **ret, const AuthorityOptions *options);
Authority *authority_free(Authority *a);
DEFINE_CLEANUP(Authority, authority_free);

void authority_begin(Authority *a);
void authority_settle(Authority *a, const char *good_news);
void authority_end(Authority *a);
