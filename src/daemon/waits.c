/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Waits: owns one entry a waiting client. Idleness is looked at when the loop has nothing else to do, so
 * that an event that lies in a socket already is not missed. That somebody else's module has become live is
 * announced by nobody (its uevent comes before its init); while such a wait is open, and only then, it is
 * looked for ten times a second.
 */

#include "daemon/waits.h"

#include <assert.h>
#include <sys/queue.h>

#include "common/interface.h"
#include "daemon/log.h"
#include "daemon/module-state.h"

#define POLL_USEC (100U * 1000U)

typedef struct Wait Wait;
struct Wait {
        Waits *waits;
        sd_varlink *link;
        bool idle;
        char *module;                   /* normalised; NULL: none */
        sd_event_source *timeout;
        LIST_ENTRY(Wait) next;
};

struct Waits {
        sd_event *event;
        sd_event_source *check, *poll;
        waits_idle_t is_idle;
        void *userdata;
        LIST_HEAD(, Wait) list;
};

static void wait_free(Wait *w) {
        LIST_REMOVE(w, next);
        sd_event_source_disable_unref(w->timeout);
        sd_varlink_unref(w->link);
        free(w->module);
        free(w);
}

static bool wait_is_over(const Wait *w) {
        if (w->module && module_state_read(w->module) != MODULE_LIVE)
                return false;
        return !w->idle || w->waits->is_idle(w->waits->userdata);
}

static bool any_wait_for_module(const Waits *waits) {
        const Wait *w;

        LIST_FOREACH(w, &waits->list, next)
                if (w->module)
                        return true;
        return false;
}

static void waits_check(Waits *waits) {
        Wait *w = LIST_FIRST(&waits->list);

        while (w) {
                Wait *following = LIST_NEXT(w, next);

                if (wait_is_over(w)) {
                        (void) sd_varlink_reply(w->link, NULL);
                        wait_free(w);
                }
                w = following;
        }
        if (!any_wait_for_module(waits))
                (void) sd_event_source_set_enabled(waits->poll, SD_EVENT_OFF);
}

static int on_check(sd_event_source *source, void *userdata) {
        waits_check(userdata);
        return 0;
}

static int on_poll(sd_event_source *source, uint64_t usec, void *userdata) {
        Waits *waits = userdata;

        if (sd_event_source_set_time_relative(source, POLL_USEC) >= 0)
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        waits_check(waits);
        return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        _cleanup_(freep) char *message = NULL;
        Wait *w = userdata;

        if (asprintf(&message, "%s%s within the time given", w->module ?: "lkmd",
                     w->module ? " did not become live" : " did not become idle") < 0)
                message = NULL;
        (void) sd_varlink_errorbo(w->link, LKMD_ERROR_TIMEOUT,
                                  SD_JSON_BUILD_PAIR_STRING("message", message ?: "The time is over"),
                                  SD_JSON_BUILD_PAIR_STRING("hint", "lkmctl status shows what is running"));
        wait_free(w);
        return 0;
}

/**
 * waits_new() - nobody waits yet
 * @is_idle: is there nothing queued, running or to be looked at?
 *
 * Return: 0, -ENOMEM or what sd-event says.
 */
int waits_new(Waits **ret, sd_event *event, waits_idle_t is_idle, void *userdata) {
        _cleanup_(waits_freep) Waits *w = NULL;
        int r;

        assert(ret && event && is_idle);

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        *w = (Waits) { .event = sd_event_ref(event), .is_idle = is_idle, .userdata = userdata };
        LIST_INIT(&w->list);

        r = sd_event_add_defer(event, &w->check, on_check, w);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(w->check, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(w->check, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(event, &w->poll, CLOCK_MONOTONIC, POLL_USEC, 0, on_poll, w);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(w->poll, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = STEAL_PTR(w);
        return 0;
}

/* Return: NULL. */
Waits *waits_free(Waits *w) {
        if (!w)
                return NULL;

        while (!LIST_EMPTY(&w->list))
                wait_free(LIST_FIRST(&w->list));
        sd_event_source_disable_unref(w->check);
        sd_event_source_disable_unref(w->poll);
        sd_event_unref(w->event);
        free(w);
        return NULL;
}

/**
 * waits_add() - answer this client later
 * @link:         a reference is taken
 * @module:       normalised, or NULL
 * @timeout_usec: from now, UINT64_MAX: for ever
 *
 * Return: 0, -ENOMEM or what sd-event says.
 */
int waits_add(Waits *waits, sd_varlink *link, bool idle, const char *module, uint64_t timeout_usec) {
        Wait *w;
        int r = 0;

        assert(waits && link && (idle || module));

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->waits = waits;
        w->link = sd_varlink_ref(link);
        w->idle = idle;
        LIST_INSERT_HEAD(&waits->list, w, next);

        if (module && !(w->module = strdup(module)))
                r = -ENOMEM;
        if (r >= 0 && timeout_usec != UINT64_MAX)
                r = sd_event_add_time_relative(waits->event, &w->timeout, CLOCK_MONOTONIC, timeout_usec, 0,
                                               on_timeout, w);
        if (r >= 0 && module)
                r = sd_event_source_set_enabled(waits->poll, SD_EVENT_ONESHOT);
        if (r < 0) {
                wait_free(w);
                return r;
        }

        waits_check_soon(waits);
        return 0;
}

/* The client is gone; also for a connection that never waited. */
void waits_remove(Waits *waits, sd_varlink *link) {
        Wait *w = LIST_FIRST(&waits->list);

        while (w) {
                Wait *following = LIST_NEXT(w, next);

                if (w->link == link)
                        wait_free(w);
                w = following;
        }
}

/* Something changed that somebody may wait for. */
void waits_check_soon(Waits *w) {
        assert(w);

        if (!LIST_EMPTY(&w->list))
                (void) sd_event_source_set_enabled(w->check, SD_EVENT_ONESHOT);
}
