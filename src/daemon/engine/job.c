/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Job: one operation on one module. Owns its record, what is sent to the loader, and the list of waiters; borrows
 * their JobSpec.
 */

#include "daemon/engine/job.h"

#include <assert.h>

#include "daemon/engine/job-record.h"
#include "daemon/engine/loader-order.h"

#define TO(state) (1U << (state))

static const unsigned job_next[_JOB_STATE_MAX] = { /* an empty row is a final state */
        [JOB_QUEUED] = TO(JOB_RUNNING) | TO(JOB_FINISHED), /* finished: nothing was left to do, or no loader */
        [JOB_RUNNING] = TO(JOB_LIVE) | TO(JOB_FINISHED),
        [JOB_LIVE] = TO(JOB_FINISHED),
};

/* Return: NULL. */
Job *job_free(Job *j) {
        JobWaiter *w;

        if (!j)
                return NULL;

        while ((w = STAILQ_FIRST(&j->waiters))) {
                STAILQ_REMOVE_HEAD(&j->waiters, next);
                free(w);
        }
        sd_event_source_disable_unref(j->slow_source);
        record_unref(j->record);
        free(j->path);
        free(j->words);
        free(j);
        return NULL;
}

/* Was it sent to the loader, or to lkmd-command? */
bool job_is_under_way(const Job *j) {
        return j->state == JOB_RUNNING || j->state == JOB_LIVE;
}

/* Is this change of state allowed? */
bool job_may_enter(const Job *j, JobState to) {
        return job_next[j->state] & TO(to);
}

/* Makes it a job of this waiter's request, before it goes to the loader. On failure nothing changes. */
static int take_spec(Job *j, const JobSpec *spec, const char *async_probe_modules) {
        _cleanup_(record_unrefp) Record *record = NULL;
        _cleanup_(freep) LoaderWords *words = NULL;
        _cleanup_(freep) char *path = NULL;
        bool too_long;
        int r;

        if (spec->path && !(path = strdup(spec->path)))
                return -ENOMEM;
        r = loader_words_new(&words, spec->words, spec->n_words,
                             job_wants_async_probe(spec, async_probe_modules) ? "async_probe" : NULL);
        too_long = r == -E2BIG;
        if (r < 0 && !too_long)
                return r;
        r = job_record_new(&record, spec, async_probe_modules);
        if (r < 0)
                return r;
        if (j->record)
                record->submitted_usec = j->record->submitted_usec;

        record_unref(j->record);
        j->record = STEAL_PTR(record);
        free(j->path);
        j->path = STEAL_PTR(path);
        free(j->words);
        j->words = STEAL_PTR(words);
        j->too_long = too_long;
        return 0;
}

/**
 * job_new() - a queued job
 * @async_probe_modules: module_list_contains(); NULL: none
 *
 * Return: 0; -ENOMEM.
 */
int job_new(Job **ret, const JobSpec *spec, const char *async_probe_modules) {
        _cleanup_(job_freep) Job *j = NULL;
        int r;

        assert(ret && spec);

        j = calloc(1, sizeof(*j));
        if (!j)
                return -ENOMEM;
        STAILQ_INIT(&j->waiters);
        j->op = spec->op;
        j->flags = job_operation_flags(spec->op, spec->request);
        r = take_spec(j, spec, async_probe_modules);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(j);
        return 0;
}

/* With parameters or force that only root may ask for, the connection of root's process is sent along as a proof. */
void job_make_order(const Job *j, LoaderOrder *ret) {
        bool has_client = j->record->request->client_fd >= 0 &&
                          ((j->flags & LOADER_FORCE_ANY) || loader_words_have_client(j->words));

        *ret = (LoaderOrder) {
                .op = j->op,
                .id = j->id,
                .flags = j->flags | (has_client ? LOADER_HAS_CLIENT : 0),
                .client_fd = j->record->request->client_fd,
                .module = j->op == LOADER_REMOVE ? j->record->module : record_file_module(j->record),
                .path = j->path,
                .words = j->words,
        };
}

/**
 * job_add_waiter() - report the outcome to one more waiter
 * @owns: the job's record is of this waiter's request
 *
 * Return: 0; -ENOMEM.
 */
int job_add_waiter(Job *j, const JobSpec *spec, bool owns, job_done_t done, void *userdata) {
        JobWaiter *w = calloc(1, sizeof(*w));

        if (!w)
                return -ENOMEM;
        w->spec = *spec;
        w->owns = owns;
        w->live = spec->live;
        w->done = done;
        w->userdata = userdata;
        STAILQ_INSERT_TAIL(&j->waiters, w, next);
        return 0;
}

static JobWaiter *find_refused(const Job *j) {
        JobWaiter *w;

        STAILQ_FOREACH(w, &j->waiters, next)
                if (w->spec.may && !w->spec.may(w->userdata))
                        return w;
        return NULL;
}

/**
 * job_ask_waiters() - may it still be done, and for whom?
 * @async_probe_modules: as job_new()
 *
 * The last check before the loader. Each waiter is asked, since one may be allowed what another is denied; a denied
 * waiter is dropped, and the job goes on for the others. The callbacks may submit, join and forget, so each search
 * starts from the beginning.
 *
 * Return: 1: go on; 0: nobody is left; -ENOMEM.
 */
int job_ask_waiters(Job *j, const char *async_probe_modules) {
        bool had_any = !STAILQ_EMPTY(&j->waiters), needs_owner = false;
        JobWaiter *w;

        while ((w = find_refused(j))) {
                STAILQ_REMOVE(&j->waiters, w, JobWaiter, next);
                needs_owner |= w->owns;
                w->done(NULL, w->userdata);
                free(w);
        }
        w = STAILQ_FIRST(&j->waiters);
        if (!w)
                return had_any ? 0 : 1; /* waiters that went away earlier were allowed when they submitted */
        if (!needs_owner || !w->spec.may)
                return 1;
        w->owns = true;
        return take_spec(j, &w->spec, async_probe_modules) < 0 ? -ENOMEM : 1;
}

/* Report the outcome to all waiters. Their callbacks may forget other waiters, and submit new jobs. */
void job_report(Job *j) {
        JobWaiter *w;

        while ((w = STAILQ_FIRST(&j->waiters))) {
                STAILQ_REMOVE_HEAD(&j->waiters, next);
                w->done(j->record, w->userdata);
                free(w);
        }
}

/* Drop the waiter with this @userdata; its callbacks are not called any more. */
void job_forget(Job *j, void *userdata) {
        JobWaiter *w = STAILQ_FIRST(&j->waiters);

        while (w) {
                JobWaiter *following = STAILQ_NEXT(w, next);

                if (w->userdata == userdata) {
                        STAILQ_REMOVE(&j->waiters, w, JobWaiter, next);
                        free(w);
                }
                w = following;
        }
}
