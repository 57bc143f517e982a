/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * AuditKeeper: see audit-keeper.h. Owns the audit, timers and a file watch.
 *
 * lkmd starts before /var is mounted, must not wait for it, and may not write there. So, for an audit in FILE:
 *
 * - lkmd-audit.service, once /var is there, copies what is kept to FILE-earlier, which is empty if nothing is. It is
 *   added to the audit and removed. Until then nothing is kept: FILE has this boot only, and must not replace more.
 * - When the audit has changed, FILE-call is created, and lkmd-keep.service copies FILE: soon after the first change,
 *   then rarely, for the sake of the disk.
 * - When the machine is shut down, lkmd-audit.service copies FILE, too, so FILE lags behind the audit by moments only.
 */

#include "daemon/history/audit-keeper.h"

#include <assert.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/paths.h"
#include "daemon/base/file-watch.h"
#include "daemon/base/log.h"
#include "daemon/base/state-file.h"

struct AuditKeeper {
        Audit *audit;
        char *earlier, *call;
        FileWatch *watch;
        sd_event_source *sync, *keep;   /* timers, on while there is something to do */
        uint64_t kept_usec;             /* CLOCK_MONOTONIC; 0: not yet */
};

static void arm(sd_event_source *timer, uint64_t usec) {
        int enabled = SD_EVENT_OFF;

        if (sd_event_source_get_enabled(timer, &enabled) >= 0 && enabled == SD_EVENT_OFF &&
            sd_event_source_set_time_relative(timer, usec) >= 0)
                (void) sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* What was kept before must be part of it, since it is replaced. */
static void call_for_keeping(AuditKeeper *k) {
        audit_sync(k->audit);
        if (audit_get_head(k->audit)->joined)
                state_file_touch(k->call);
}

static int on_sync(sd_event_source *source, uint64_t usec, void *userdata) {
        AuditKeeper *k = userdata;

        audit_sync(k->audit);
        return 0;
}

static int on_keep(sd_event_source *source, uint64_t usec, void *userdata) {
        AuditKeeper *k = userdata;

        k->kept_usec = clock_usec(CLOCK_MONOTONIC);
        call_for_keeping(k);
        return 0;
}

static void on_audit_changed(bool cleared, void *userdata) {
        AuditKeeper *k = userdata;
        uint64_t now = clock_usec(CLOCK_MONOTONIC), due = AUDIT_KEEP_SOON_USEC;

        if (cleared) {                  /* it must not come back with a power cut */
                call_for_keeping(k);
                return;
        }
        if (k->kept_usec > 0 && k->kept_usec + AUDIT_KEEP_USEC > now + due)
                due = k->kept_usec + AUDIT_KEEP_USEC - now;
        arm(k->sync, AUDIT_SYNC_USEC);
        arm(k->keep, due);
}

static void fetch(AuditKeeper *k) {
        struct stat st;
        int r;

        if (lstat(k->earlier, &st) < 0)
                return;                 /* a link is there, and is not followed */
        r = audit_join(k->audit, k->earlier);
        if (r < 0) {
                log_warning("%s: cannot read what the policy did in earlier boots: %s", k->earlier,
                            strerror(-r));
                return;                 /* what is kept stays as it is */
        }
        if (remove(k->earlier) < 0)
                log_warning("%s: cannot remove it: %s", k->earlier, strerrordesc_np(errno));
        state_file_touch(k->call);      /* has this boot as well */
}

static void on_file(void *userdata) {
        AuditKeeper *k = userdata;

        file_watch_refresh(k->watch);
        fetch(k);
}

static int add_timer(sd_event *event, sd_event_time_handler_t handler, AuditKeeper *k,
                     sd_event_source **ret) {
        int r;

        r = sd_event_add_time(event, ret, CLOCK_MONOTONIC, UINT64_MAX, 0, handler, k);
        return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static int watch_earlier(AuditKeeper *k, sd_event *event) {
        _cleanup_(freep) char *directory = strdup(k->earlier);
        char *name = directory ? strrchr(directory, '/') : NULL;
        int r;

        if (!directory)
                return -ENOMEM;
        r = file_watch_new(&k->watch, event, on_file, k);
        if (r < 0 || !name || name == directory)
                return r;               /* a file in no directory is for tests only */
        *name = '\0';
        r = file_watch_add(k->watch, directory, name + 1, "");
        if (r < 0)
                return r;
        on_file(k);
        return 0;
}

static int keep_over_boots(AuditKeeper *k, sd_event *event, const char *file) {
        int r;

        if (asprintf(&k->earlier, "%s" LKMD_AUDIT_EARLIER_SUFFIX, file) < 0) {
                k->earlier = NULL;
                return -ENOMEM;
        }
        if (asprintf(&k->call, "%s" LKMD_AUDIT_CALL_SUFFIX, file) < 0) {
                k->call = NULL;
                return -ENOMEM;
        }
        r = add_timer(event, on_sync, k, &k->sync);
        if (r >= 0)
                r = add_timer(event, on_keep, k, &k->keep);
        if (r >= 0)
                r = watch_earlier(k, event);
        if (r < 0)
                return r;
        audit_on_change(k->audit, on_audit_changed, k);
        if (audit_count(k->audit) > 0)
                on_audit_changed(false, k); /* an earlier lkmd may have died before it called */
        return 0;
}

/**
 * audit_keeper_new() - an audit that is kept over boots, from when what is kept already has been fetched
 * @file: absolute path of its file; NULL: it is not kept at all
 *
 * Return: 0; -ENOMEM; why there can be no event sources.
 */
int audit_keeper_new(AuditKeeper **ret, sd_event *event, const char *file) {
        _cleanup_(audit_keeper_freep) AuditKeeper *k = NULL;
        int r;

        assert(ret && event);

        k = calloc(1, sizeof(*k));
        if (!k)
                return -ENOMEM;
        r = audit_new(&k->audit, file);
        if (r >= 0 && file)
                r = keep_over_boots(k, event, file);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(k);
        return 0;
}

/* Return: NULL. What is not kept yet is called for. */
AuditKeeper *audit_keeper_free(AuditKeeper *k) {
        int enabled = SD_EVENT_OFF;

        if (!k)
                return NULL;

        if (k->keep && sd_event_source_get_enabled(k->keep, &enabled) >= 0 && enabled != SD_EVENT_OFF)
                call_for_keeping(k);
        sd_event_source_disable_unref(k->sync);
        sd_event_source_disable_unref(k->keep);
        file_watch_free(k->watch);
        audit_free(k->audit);
        free(k->earlier);
        free(k->call);
        free(k);
        return NULL;
}

Audit *audit_keeper_get(AuditKeeper *k) {
        assert(k);

        return k->audit;
}
