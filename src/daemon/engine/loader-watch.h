/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "common/base/util.h"
#include "daemon/engine/loader-trouble.h"

/*
 * LoaderWatch: finds out whether lkmd-loader can act. The owner of the connection reports what happens to it; the
 * callbacks have it ask for a sign of life, and connect again.
 */
typedef struct LoaderWatch LoaderWatch;

typedef struct LoaderWatchOptions {
        sd_event *event;
        const char *program;            /* of the loader, borrowed; NULL: not checked */
        int (*ask)(void *userdata);     /* then loader_watch_answered() is called */
        void (*connect)(void *userdata); /* then loader_watch_connected() or _refused() is called */
        void (*changed)(LoaderTrouble trouble, void *userdata); /* also when connecting failed once more */
        void *userdata;
} LoaderWatchOptions;

int loader_watch_new(LoaderWatch **ret, const LoaderWatchOptions *options);
LoaderWatch *loader_watch_free(LoaderWatch *w);
DEFINE_CLEANUP(LoaderWatch, loader_watch_free);

void loader_watch_set_timeout(LoaderWatch *w, uint64_t usec);
LoaderTrouble loader_watch_get_trouble(const LoaderWatch *w);

void loader_watch_connected(LoaderWatch *w);
void loader_watch_refused(LoaderWatch *w);
void loader_watch_sent(LoaderWatch *w);
void loader_watch_done(LoaderWatch *w);
void loader_watch_answered(LoaderWatch *w);
void loader_watch_lost(LoaderWatch *w, bool other_version);
