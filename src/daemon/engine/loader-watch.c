/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * LoaderWatch: see loader-watch.h. The main thread of lkmd-loader answers LOADER_LOOK at once, whatever its other
 * threads do. So a loader that does not answer for LoaderTimeoutSec= cannot act: it is stopped, cannot be started, or
 * hangs. It is asked whenever it gets a request, and from time to time while requests are under way; an idle loader
 * is not asked.
 *
 * A silent connection is kept: the question waits there for the loader, and its answer, however late, ends the
 * trouble. A broken connection is made again, at longer and longer intervals.
 *
 * Owns its timers. The connection belongs to its user.
 */

#include "daemon/engine/loader-watch.h"

#include <assert.h>
#include <sys/stat.h>


#define START_FACTOR 5U                 /* more time for a loader that systemd has to start first */
#define TIMEOUT_MAX_USEC (24ULL * 3600U * 1000U * 1000U)
#define RETRY_MIN_USEC (100U * 1000U)
#define RETRY_MAX_USEC (10U * 1000U * 1000U)

struct LoaderWatch {
        LoaderWatchOptions options;
        sd_event_source *timer;         /* until an answer is due, or the next question */
        sd_event_source *retry;         /* until the next connection */
        uint64_t timeout_usec;          /* UINT64_MAX: nothing is asked */
        uint64_t retry_usec;
        LoaderTrouble trouble;
        unsigned n_outstanding;         /* requests on this connection */
        bool connected, asked, answered; /* answered: at least once on this connection */
        bool hung_up;                   /* without an answer since */
};

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        LoaderWatch *w = userdata;

        if (!w->connected)
                w->options.connect(w->options.userdata);
        return 0;
}

/**
 * loader_watch_new() - not connected yet; nothing is asked before loader_watch_set_timeout()
 * @options: copied
 *
 * Return: 0, -ENOMEM or what sd_event_add_time(3) says.
 */
int loader_watch_new(LoaderWatch **ret, const LoaderWatchOptions *options) {
        _cleanup_(loader_watch_freep) LoaderWatch *w = NULL;
        int r;

        assert(ret && options && options->event && options->ask && options->connect && options->changed);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (LoaderWatch) { .options = *options, .timeout_usec = UINT64_MAX, .retry_usec = RETRY_MIN_USEC };
        r = sd_event_add_time(options->event, &w->timer, CLOCK_MONOTONIC, UINT64_MAX, 0, on_timer, w);
        if (r < 0)
                return r;
        r = sd_event_add_time(options->event, &w->retry, CLOCK_MONOTONIC, UINT64_MAX, 0, on_retry, w);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(w->timer, "loader-answer");
        (void) sd_event_source_set_description(w->retry, "loader-retry");
        *ret = STEAL_PTR(w);
        return 0;
}

/* Return: NULL. */
LoaderWatch *loader_watch_free(LoaderWatch *w) {
        if (!w)
                return NULL;

        sd_event_source_disable_unref(w->timer);
        sd_event_source_disable_unref(w->retry);
        free(w);
        return NULL;
}

static void arm(sd_event_source *source, uint64_t usec) {
        if (sd_event_source_set_time_relative(source, usec) >= 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void disarm(sd_event_source *source) {
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* Trouble that the file of the program explains. systemd starts it as root, for whom any x bit is enough. */
static LoaderTrouble look_at_program(const LoaderWatch *w) {
        struct stat st;

        if (!w->options.program)
                return LOADER_IS_WELL;
        if (stat(w->options.program, &st) < 0)
                return errno == ENOENT || errno == ENOTDIR ? LOADER_IS_GONE : LOADER_IS_WELL;
        return st.st_mode & 0111U ? LOADER_IS_WELL : LOADER_IS_NOT_EXECUTABLE;
}

static void enter(LoaderWatch *w, LoaderTrouble trouble) {
        if (w->trouble == trouble)
                return;
        w->trouble = trouble;
        w->options.changed(trouble, w->options.userdata);
}

/* A missing program explains more than its consequences do. */
static void enter_explained(LoaderWatch *w, LoaderTrouble otherwise) {
        enter(w, look_at_program(w) ?: otherwise);
}

static void retry_later(LoaderWatch *w) {
        arm(w->retry, w->retry_usec);
        w->retry_usec = MIN(w->retry_usec * 2U, (uint64_t) RETRY_MAX_USEC);
}

static void ask(LoaderWatch *w) {
        if (w->asked || !w->connected || w->timeout_usec == UINT64_MAX)
                return;
        w->asked = true;                /* also if it could not be sent: a full socket means that nobody reads */
        arm(w->timer, w->timeout_usec * (w->answered ? 1U : START_FACTOR));
        (void) w->options.ask(w->options.userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        LoaderWatch *w = userdata;

        if (w->asked)
                enter_explained(w, LOADER_IS_SILENT);
        else if (w->n_outstanding > 0)
                ask(w);
        return 0;
}

/* @usec: LoaderTimeoutSec=; UINT64_MAX: never ask. */
void loader_watch_set_timeout(LoaderWatch *w, uint64_t usec) {
        assert(w);

        w->timeout_usec = usec == UINT64_MAX ? usec : MIN(usec, (uint64_t) TIMEOUT_MAX_USEC);
        if (usec != UINT64_MAX) {
                ask(w);
                return;
        }
        disarm(w->timer);
        w->asked = false;
}

LoaderTrouble loader_watch_get_trouble(const LoaderWatch *w) {
        assert(w);

        return w->trouble;
}

/* The connection was made. systemd's socket takes it before the loader is started, so it proves nothing. */
void loader_watch_connected(LoaderWatch *w) {
        LoaderTrouble seen;

        assert(w);

        w->connected = true;
        w->asked = w->answered = false;
        w->n_outstanding = 0;
        disarm(w->retry);
        ask(w);
        seen = look_at_program(w);
        if (seen != LOADER_IS_WELL)
                enter(w, seen);
}

void loader_watch_refused(LoaderWatch *w) {
        assert(w);

        if (w->timeout_usec == UINT64_MAX)
                return;
        retry_later(w);
        w->trouble = look_at_program(w) ?: LOADER_HAS_NO_SOCKET;
        w->options.changed(w->trouble, w->options.userdata);
}

/* A request was sent. */
void loader_watch_sent(LoaderWatch *w) {
        assert(w);

        w->n_outstanding++;
        ask(w);
}

/* A request was answered by a thread of the loader, which proves nothing about the main thread. */
void loader_watch_done(LoaderWatch *w) {
        assert(w);

        if (w->n_outstanding > 0)
                w->n_outstanding--;
}

/* The main thread answered. */
void loader_watch_answered(LoaderWatch *w) {
        assert(w);

        w->asked = w->hung_up = false;
        w->answered = true;
        w->retry_usec = RETRY_MIN_USEC;
        disarm(w->timer);
        if (w->n_outstanding > 0 && w->timeout_usec != UINT64_MAX)
                arm(w->timer, w->timeout_usec);
        enter(w, LOADER_IS_WELL);
}

/*
 * The loader hung up. One that worked until now is expected back at once, and so is one of another version that had
 * nothing to do: systemd starts the program that is on the disk.
 */
void loader_watch_lost(LoaderWatch *w, bool other_version) {
        bool worked = w->answered;

        assert(w);

        w->connected = w->asked = w->answered = false;
        w->n_outstanding = 0;
        disarm(w->timer);
        disarm(w->retry);
        if (w->timeout_usec == UINT64_MAX)
                return;
        retry_later(w);
        if (!worked && (w->hung_up || !other_version))
                enter_explained(w, other_version ? LOADER_IS_OF_ANOTHER_VERSION : LOADER_HANGS_UP);
        w->hung_up = true;
}
