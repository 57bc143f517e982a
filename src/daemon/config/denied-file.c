/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * DeniedFile: see denied-file.h. lkmd cannot write to modprobe.d, by intention: it writes names, which lkmd-handover
 * turns into lines for udev and modprobe (handover-denied.c). Owns the text that it wrote last.
 */

#include "daemon/config/denied-file.h"

#include <assert.h>

#include "common/base/clock.h"
#include "common/base/paths.h"
#include "common/plan/denied-names.h"
#include "daemon/base/log.h"
#include "daemon/base/state-file.h"

struct DeniedFile {
        char *path;
        char *text;                     /* last written; NULL: not yet */
};

/**
 * denied_file_new() - nothing is written before denied_file_update()
 * @path: copied; NULL: nothing is ever written
 *
 * Return: 0 or -ENOMEM.
 */
int denied_file_new(DeniedFile **ret, const char *path) {
        _cleanup_(denied_file_freep) DeniedFile *d = NULL;

        assert(ret);

        d = calloc(1, sizeof(*d));
        if (!d || (path && !(d->path = strdup(path))))
                return -ENOMEM;
        *ret = STEAL_PTR(d);
        return 0;
}

/* Return: NULL. The file stays, since it is for the time when lkmd does not run. */
DeniedFile *denied_file_free(DeniedFile *d) {
        if (!d)
                return NULL;

        free(d->path);
        free(d->text);
        free(d);
        return NULL;
}

/**
 * denied_file_update() - write what is denied by name now, if it has changed
 * @policy:   NULL: there are no rules
 * @settings: for what it says beside names, in its head
 * @now_usec: CLOCK_REALTIME
 *
 * Return: 1 if it was written; 0 if nothing changed; -ENOMEM; what the file system said: the next call tries again.
 */
int denied_file_update(DeniedFile *d, const Policy *policy, const Index *index, const Settings *settings,
                       uint64_t now_usec) {
        _cleanup_(freep) char *names = NULL, *text = NULL;
        int r;

        assert(d && index && settings);

        if (!d->path)
                return 0;
        r = denied_names_list(policy, index, now_usec, &names);
        if (r < 0)
                return r;
        if (asprintf(&text, "%s%s%s", settings->on_stop == ON_STOP_FORGET ? LKMD_DENIED_FORGET : "",
                     settings->on_failure == ON_FAILURE_CLOSED ? LKMD_DENIED_CLOSED : "", names) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        if (streq_ptr(text, d->text) || (text[0] == '\0' && !d->text && access(d->path, F_OK) < 0))
                return 0;
        r = state_file_replace(d->path, text, strlen(text));
        if (r < 0)
                return r;
        free(d->text);
        d->text = STEAL_PTR(text);
        return 1;
}

/* Bring it up to date, and have lkmd-handover act if it has changed. A failure has no effect while lkmd runs. */
void denied_file_follow(DeniedFile *d, PolicyKeeper *policy, IndexKeeper *index, const Charge *charge,
                        const Settings *settings) {
        int r;

        assert(d && policy && index && charge);

        r = denied_file_update(d, policy_keeper_get(policy), index_keeper_get(index), settings,
                               clock_usec(CLOCK_REALTIME));
        if (r < 0)
                log_warning(
                        "cannot write down what is denied by name, so that it does not hold without lkmd: %s",
                        strerror(-r));
        else if (r > 0)
                charge_call_handover(charge);
}
