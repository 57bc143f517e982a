/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* StaleWatch: see stale-watch.h. Owns the FileWatch and the timer until the files are quiet. */

#include "daemon/config/stale-watch.h"

#include <assert.h>

#include "daemon/base/file-watch.h"

#define QUIET_USEC (200U * 1000U)

struct StaleWatch {
        FileWatch *files;
        sd_event_source *timer;
        bool stale;
        stale_watch_quiet_t quiet;
        void *userdata;
};

static void on_changed(void *userdata) {
        StaleWatch *w = userdata;

        w->stale = true;
        if (sd_event_source_set_time_relative(w->timer, QUIET_USEC) >= 0)
                (void) sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static int on_quiet(sd_event_source *source, uint64_t usec, void *userdata) {
        StaleWatch *w = userdata;

        w->quiet(w->userdata);
        return 0;
}

/**
 * stale_watch_new() - nothing is watched yet
 *
 * Return: 0; -ENOMEM; as file_watch_new().
 */
int stale_watch_new(StaleWatch **ret, sd_event *event, stale_watch_quiet_t quiet, void *userdata) {
        _cleanup_(stale_watch_freep) StaleWatch *w = NULL;
        int r;

        assert(ret && event && quiet);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->quiet = quiet;
        w->userdata = userdata;
        r = sd_event_add_time_relative(event, &w->timer, CLOCK_MONOTONIC, QUIET_USEC, 0, on_quiet, w);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = file_watch_new(&w->files, event, on_changed, w);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(w);
        return 0;
}

/* Return: NULL. */
StaleWatch *stale_watch_free(StaleWatch *w) {
        if (!w)
                return NULL;

        file_watch_free(w->files);
        sd_event_source_disable_unref(w->timer);
        free(w);
        return NULL;
}

/* Return: as file_watch_add(). */
int stale_watch_add(StaleWatch *w, const char *path, const char *name_prefix, const char *name_suffix) {
        assert(w);

        return file_watch_add(w->files, path, name_prefix, name_suffix);
}

/* To be called before the files are read: a change in between makes them stale again. */
void stale_watch_refresh(StaleWatch *w) {
        assert(w);

        w->stale = false;
        (void) sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        file_watch_refresh(w->files);
}

/* Have the files changed since stale_watch_refresh()? Also finds changes that inotify does not report. */
bool stale_watch_is_stale(StaleWatch *w) {
        assert(w);

        file_watch_look(w->files);
        return w->stale;
}

/* Which of the files cannot be watched. */
const ProblemList *stale_watch_get_problems(const StaleWatch *w) {
        assert(w);

        return file_watch_get_problems(w->files);
}
